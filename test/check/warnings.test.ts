// What a check warns of, with its place; and what is near to it and no reason for a warning.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { WARNING_CODES } from '@millrace/closures';
import { CheckBench, markedPlaces } from './check-bench.ts';
import { WARNED } from './corpus/warned.ts';

let bench: CheckBench;

beforeAll(() => {
  bench = new CheckBench();
});
afterAll(() => bench.close());

describe('a check warns of', () => {
  it.each(WARNED.map((each) => [each.title, each] as const))(
    '%s',
    async (_title, { bad, codes, fix, says }) => {
      const { problems, warnings } = await bench.check(bad);
      expect(problems).toEqual([]);
      expect(warnings.map(({ code }) => code)).toEqual(codes);
      const places = warnings.map(({ place }) => `${place?.file}:${place?.line}:${place?.column}`);
      expect(places.toSorted()).toEqual(markedPlaces(bad).toSorted());
      for (const part of fix) expect(warnings[0]?.fix).toContain(part);
      const text = JSON.stringify(warnings);
      for (const part of says) expect(text).toContain(part);
      // A warning goes to logs.
      expect(text).not.toMatch(/hunter2|s3cr3t/);
    },
  );

  it.each(WARNED.map((each) => [each.title, each] as const))(
    'nothing next to it: %s',
    async (_title, { good }) => {
      expect(await bench.check(good)).toEqual({ problems: [], text: '', warnings: [] });
    },
  );

  it('every kind that there is', () => {
    const codes = new Set(WARNED.flatMap((each) => each.codes));
    expect([...codes].toSorted()).toEqual(Object.keys(WARNING_CODES).toSorted());
  });
});
