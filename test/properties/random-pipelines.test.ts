import { describe, expect, it } from '@jest/globals';
import { RDD } from '@millrace/api';
import { seededRandom } from '@millrace/common';
import * as fc from 'fast-check';
import { anyPipeline } from '../../packages/api/src/testing/any-pipeline.ts';
import { anyPairs, unordered } from '../../packages/api/src/testing/datasets.ts';
import {
  applied,
  modelled,
  type Pair,
  type PipelineStep,
} from '../../packages/api/src/testing/pipeline-steps.ts';
import { InProcessCluster } from './in-process-cluster.ts';

const IS_LONG = (process.env['MILLRACE_LONG_TESTS'] ?? '') !== '';
/** Another number: MILLRACE_RANDOM_PIPELINES; the same ones again: MILLRACE_RANDOM_SEED. */
const CASES = Number(process.env['MILLRACE_RANDOM_PIPELINES'] ?? (IS_LONG ? 10_000 : 300));
const SEED = Number(process.env['MILLRACE_RANDOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** Enough on a machine that has other things to do. */
const DEADLINE_MS = 60_000 + CASES * 1_000;

interface Case {
  readonly left: Pair[][];
  readonly right: Pair[][];
  readonly steps: PipelineStep[];
  readonly seed: number;
  readonly executors: number;
  readonly memoryBytesMax: number;
  readonly inlineBytesMax: number;
  readonly killChance: number;
  readonly failChance: number;
}

const anyCase: fc.Arbitrary<Case> = fc.record({
  left: anyPairs(),
  // Few of them: joins multiply rows.
  right: anyPairs().map((partitions) => partitions.slice(0, 2).map((rows) => rows.slice(0, 3))),
  steps: anyPipeline(),
  seed: fc.nat(),
  executors: fc.integer({ min: 1, max: 3 }),
  memoryBytesMax: fc.constantFrom(1, 300, 1_000, 1e9),
  inlineBytesMax: fc.constantFrom(0, 0, 100, 1e6),
  killChance: fc.constantFrom(0, 0, 0.03, 0.1),
  failChance: fc.constantFrom(0, 0.1),
});

describe(`random pipelines on executors of this process, seed ${SEED}`, () => {
  it(
    `give what plain arrays give, whatever does not fit, fails or is lost (${CASES})`,
    async () => {
      const tally = { tasks: 0, kills: 0, failures: 0 };
      await fc.assert(
        fc.asyncProperty(anyCase, async ({ left, right, steps, seed, ...options }) => {
          const cluster = new InProcessCluster({ ...options, random: seededRandom(seed) });
          try {
            const [rdd, other] = [left, right].map(
              (partitions) => new RDD<Pair>({ kind: 'rows', partitions }, cluster.runner),
            ) as [RDD<Pair>, RDD<Pair>];
            const made = await applied(steps, rdd, other);
            const wanted = modelled(steps, left.flat(), right.flat());
            const rows = await made.collect();
            expect(unordered(rows)).toEqual(unordered(wanted));
            // Read again, nothing changes: not even the order.
            expect(await made.collect()).toEqual(rows);
            expect(await made.count()).toBe(wanted.length);
          } finally {
            await cluster.close();
            for (const name of ['tasks', 'kills', 'failures'] as const) tally[name] += cluster.tally[name];
          }
        }),
        { numRuns: CASES, seed: SEED },
      );
      process.stderr.write(`random pipelines: ${CASES}, seed ${SEED}, ${JSON.stringify(tally)}\n`);
      expect(Math.min(...Object.values(tally))).toBeGreaterThan(CASES / 20);
    },
    DEADLINE_MS,
  );
});
