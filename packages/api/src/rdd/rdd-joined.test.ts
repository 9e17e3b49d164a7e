import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { canonicalKey } from '../canonical-key.ts';
import { anyPairs, dataset, unordered } from '../testing/datasets.ts';
import { referenceRunner } from '../testing/reference-runner.ts';

type Pairs = [unknown, number][];

const count = fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined });
const valuesOf = (rows: Pairs, text: string): number[] =>
  rows.filter(([key]) => canonicalKey(key) === text).map(([, value]) => value);

/** The key that appears first is the key. */
function keysOf(...sides: Pairs[]): Map<string, unknown> {
  const keys = new Map<string, unknown>();
  for (const [key] of sides.flat()) if (!keys.has(canonicalKey(key))) keys.set(canonicalKey(key), key);
  return keys;
}

function joined(a: Pairs, b: Pairs, keep: { readonly left: boolean; readonly right: boolean }): unknown[] {
  return [...keysOf(a, b)].flatMap(([text, key]) => {
    const left: (number | undefined)[] = valuesOf(a, text);
    const right: (number | undefined)[] = valuesOf(b, text);
    if (keep.left && right.length === 0) right.push(undefined);
    if (keep.right && left.length === 0) left.push(undefined);
    return left.flatMap((x) => right.map((y) => [key, [x, y]]));
  });
}

describe('joins, against plain arrays', () => {
  it('all four, with any number of partitions', async () => {
    await fc.assert(
      fc.asyncProperty(anyPairs(), anyPairs(), count, async (left, right, n) => {
        const [a, b] = [left.flat(), right.flat()];
        const [l, r] = [dataset(left), dataset(right)];
        const rows = async (rdd: { collect(): Promise<unknown[]> }) => unordered(await rdd.collect());
        expect(await rows(l.join(r, n))).toEqual(unordered(joined(a, b, { left: false, right: false })));
        expect(await rows(l.leftOuterJoin(r, n))).toEqual(
          unordered(joined(a, b, { left: true, right: false })),
        );
        expect(await rows(l.rightOuterJoin(r, n))).toEqual(
          unordered(joined(a, b, { left: false, right: true })),
        );
        expect(await rows(l.fullOuterJoin(r, n))).toEqual(
          unordered(joined(a, b, { left: true, right: true })),
        );
      }),
    );
  });

  it('cogroup of two to four, and subtractByKey', async () => {
    await fc.assert(
      fc.asyncProperty(anyPairs(), anyPairs(), anyPairs(), count, async (x, y, z, n) => {
        const [a, b, c] = [x.flat(), y.flat(), z.flat()];
        const [l, m, r] = [dataset(x), dataset(y), dataset(z)];
        const groups = (...sides: Pairs[]) =>
          unordered(
            [...keysOf(...sides)].map(([text, key]) => [key, sides.map((side) => valuesOf(side, text))]),
          );
        expect(unordered(await l.cogroup(m, n).collect())).toEqual(groups(a, b));
        expect(unordered(await l.cogroup(m, r, n).collect())).toEqual(groups(a, b, c));
        expect(unordered(await l.cogroup(m, r, l, n).collect())).toEqual(groups(a, b, c, a));
        const kept = a.filter(([key]) => !keysOf(b).has(canonicalKey(key)));
        const first = keysOf(a);
        const expected = kept.map(([key, value]) => [first.get(canonicalKey(key)), value]);
        expect(unordered(await l.subtractByKey(m, n).collect())).toEqual(unordered(expected));
      }),
    );
  });

  it('co-partitioned sides do not move again; a join with itself moves it once', async () => {
    const rows = [
      [
        ['a', 1],
        ['b', 2],
      ],
      [['a', 3]],
    ] as [string, number][][];
    const runner = referenceRunner();
    const left = dataset(rows, runner).reduceByKey((a, b) => a + b, 2);
    const right = dataset(rows, runner).groupByKey(2);
    const both = left.join(right).leftOuterJoin(left);
    expect(unordered(await both.collect())).toEqual(
      unordered([
        ['a', [[4, [1, 3]], 4]],
        ['b', [[2, [2]], 2]],
      ]),
    );
    // Three of each side: two partial sums of a and one of b; three rows.
    expect(runner.movedRows).toBe(6);
    const alone = referenceRunner();
    const self = dataset(rows, alone);
    expect(await self.join(self).count()).toBe(5);
    expect(alone.movedRows).toBe(3);
  });
});
