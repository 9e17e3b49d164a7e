import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { Bundler } from '../../packages/closures/test/bundler.ts';
import { comparePrograms } from './compare-programs.ts';
import { programSource, randomProgram } from './random-program.ts';

/** So many are compared. A longer run: MILLRACE_RANDOM_PROGRAMS=20000; the same one again: MILLRACE_RANDOM_SEED. */
const PROGRAMS = Number(process.env['MILLRACE_RANDOM_PROGRAMS'] ?? 500);
const SEED = Number(process.env['MILLRACE_RANDOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Of one bundle. */
const BATCH = PROGRAMS > 5000 ? 1000 : 250;
const DEADLINE_MS = 60_000 + PROGRAMS * 120;
/** Of what is made: the others throw while the lambda is built, or write to what they capture, which is refused. */
const COMPARED_MIN = 0.75;

let bundler: Bundler;
beforeAll(() => {
  bundler = new Bundler();
});
afterAll(() => bundler.close());

describe(`random programs, seed ${SEED}`, () => {
  it(
    `give on an executor what they give here (${PROGRAMS})`,
    async () => {
      let compared = 0;
      let made = 0;
      const skipped: Record<string, number> = {};
      while (compared < PROGRAMS) {
        const programs = fc.sample(randomProgram, { numRuns: BATCH, seed: SEED + made });
        const result = await comparePrograms(
          bundler,
          programs.map((program, index) => programSource(program, index)),
        );
        // One is enough to look at: the whole list would drown it.
        expect({ seed: SEED, difference: result.differences[0] }).toEqual({
          seed: SEED,
          difference: undefined,
        });
        made += BATCH;
        compared += result.compared;
        expect(compared).toBeGreaterThan(made * COMPARED_MIN);
        for (const [reason, count] of Object.entries(result.skipped))
          skipped[reason] = (skipped[reason] ?? 0) + count;
      }
      process.stderr.write(
        `random programs: ${compared} of ${made} compared, seed ${SEED}, not compared: ${JSON.stringify(skipped)}\n`,
      );
    },
    DEADLINE_MS,
  );
});
