// Jobs that must be refused, each with its code, its place and a fix in its author's words; and for each one that is as near to it as can be, and passes.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ErrorRecord, MILLRACE_VERSION, NODE_MAJOR } from '@millrace/common';
import { CheckBench, markedPlaces } from './check-bench.ts';
import { BOUND_TO_PLACE } from './corpus/bound-to-place.ts';
import { type CorpusCase, job } from './corpus/corpus-case.ts';
import { DRIVER_ONLY } from './corpus/driver-only.ts';
import { MODULES } from './corpus/modules.ts';
import { PROCESS_STATE } from './corpus/process-state.ts';

const GROUPS: Readonly<Record<string, readonly CorpusCase[]>> = {
  'what is bound to its place in the source': BOUND_TO_PLACE,
  'what belongs to one process': PROCESS_STATE,
  'what the driver keeps': DRIVER_ONLY,
  modules: MODULES,
};

let bench: CheckBench;

beforeAll(() => {
  bench = new CheckBench();
});
afterAll(() => bench.close());

function placeOf({ details }: ErrorRecord): string {
  const { file, line, column, place } = details;
  if (line !== undefined) return `${String(file)}:${line}:${String(column)}`;
  return typeof place === 'string' ? place : '';
}

const named = (cases: readonly CorpusCase[]): (readonly [string, CorpusCase])[] =>
  cases.map((each) => [each.title, each]);

describe.each(Object.entries(GROUPS))('a check refuses %s:', (_, cases) => {
  it.each(named(cases))('%s', async (_title, { bad, codes, fix, says = [] }) => {
    const { problems, text } = await bench.check(bad);
    expect(problems.map(({ code }) => code)).toEqual(codes);
    const places = problems.map(placeOf).filter((place) => place !== '');
    expect(places.toSorted()).toEqual(markedPlaces(bad).toSorted());
    const [first] = problems;
    const told = String(first?.details['fix'] ?? first?.remedy);
    for (const part of fix) expect(told).toContain(part);
    for (const part of says) expect(text).toContain(part);
    for (const problem of problems) {
      if (placeOf(problem) === '' || placeOf(problem).startsWith('node_modules/')) continue;
      expect(problem.details['frame']).toMatch(/^ {2}> *\d+ \| .*\n +\| .*\^/m);
      expect(text).toContain(placeOf(problem).split(':')[0]);
    }
    // What is told is the user's: no bundle, no engine.
    expect(text).not.toMatch(/driver\.mjs|closures\.mjs|\/packages\//);
  });

  it.each(named(cases))('but not what is next to it: %s', async (_title, { good }) => {
    expect(await bench.check(good)).toMatchObject({ problems: [], text: '' });
  });
});

describe('a bundle of another time or place', () => {
  const sound = job({ body: 'orders.print();' });

  it('is refused when another major version of Node has made it', async () => {
    const { problems } = await bench.check(sound, { nodeMajor: NODE_MAJOR - 2 });
    expect(problems).toMatchObject([
      {
        code: 'VERSION_MISMATCH',
        remedy: `Submit job.ts again, with Node ${NODE_MAJOR}.`,
        details: { file: 'job.ts', nodeMajor: NODE_MAJOR - 2 },
      },
    ]);
  });

  it('is refused when it was made for another version of the API', async () => {
    const { problems } = await bench.check(sound, { apiVersion: '0.9.0' });
    expect(problems).toMatchObject([
      { code: 'API_VERSION_MISMATCH', details: { file: 'job.ts', apiVersion: '0.9.0' } },
    ]);
    expect(problems[0]?.remedy).toContain(MILLRACE_VERSION);
  });

  it('passes when both fit', async () => {
    expect(await bench.check(sound, { nodeMajor: NODE_MAJOR })).toMatchObject({ problems: [] });
  });
});

it('has at least forty of either kind', () => {
  const all = Object.values(GROUPS).flat();
  expect(all.length).toBeGreaterThanOrEqual(40);
  expect(new Set(all.map(({ title }) => title)).size).toBe(all.length);
});
