import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { canonicalKey } from '../canonical-key.ts';
import { anyKey, dataset, partitionsOf, unordered } from '../testing/datasets.ts';

const rowsArbitrary = partitionsOf(anyKey());
const count = fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined });

/** The first of equal rows. */
function firsts(rows: readonly unknown[]): Map<string, unknown> {
  const seen = new Map<string, unknown>();
  for (const row of rows) if (!seen.has(canonicalKey(row))) seen.set(canonicalKey(row), row);
  return seen;
}

describe('operators without keys, against plain arrays', () => {
  it('distinct, intersection and subtract', async () => {
    await fc.assert(
      fc.asyncProperty(rowsArbitrary, rowsArbitrary, count, async (left, right, n) => {
        const [a, b] = [left.flat(), right.flat()];
        const [l, r] = [dataset(left), dataset(right)];
        expect(unordered(await l.distinct(n).collect())).toEqual(unordered(firsts(a).values()));
        const inBoth = [...firsts(a)].filter(([text]) => firsts(b).has(text)).map(([, row]) => row);
        expect(unordered(await l.intersection(r, n).collect())).toEqual(unordered(inBoth));
        const kept = a.filter((row) => !firsts(b).has(canonicalKey(row)));
        const expected = kept.map((row) => firsts(a).get(canonicalKey(row)));
        expect(unordered(await l.subtract(r, n).collect())).toEqual(unordered(expected));
      }),
    );
  });

  it('repartition and coalesce keep the rows, evenly', async () => {
    await fc.assert(
      fc.asyncProperty(rowsArbitrary, fc.integer({ min: 1, max: 6 }), async (rows, n) => {
        const parts = await dataset(rows).repartition(n).glom().collect();
        expect(parts).toHaveLength(n);
        expect(unordered(parts.flat())).toEqual(unordered(rows.flat()));
        const sizes = parts.map((part) => part.length);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(rows.length);
        const coalesced = dataset(rows).coalesce(n);
        expect(coalesced.partitions).toBe(Math.min(n, rows.length));
        expect(unordered(await coalesced.collect())).toEqual(unordered(rows.flat()));
      }),
    );
  });

  it('groupBy and sortBy', async () => {
    const numbers = partitionsOf(fc.integer({ min: -9, max: 9 }));
    await fc.assert(
      fc.asyncProperty(numbers, count, async (rows, n) => {
        const odd = rows.flat().filter((x) => x % 2 !== 0);
        const even = rows.flat().filter((x) => x % 2 === 0);
        const groups = [
          ['odd', odd],
          ['even', even],
        ].filter(([, group]) => group?.length);
        const grouped = dataset(rows).groupBy((x) => (x % 2 === 0 ? 'even' : 'odd'), n);
        expect(unordered(await grouped.collect())).toEqual(unordered(groups));
        const sorted = await dataset(rows).sortBy(
          (x) => Math.abs(x),
          n === undefined ? {} : { partitions: n },
        );
        expect(await sorted.collect()).toEqual(rows.flat().toSorted((a, b) => Math.abs(a) - Math.abs(b)));
      }),
    );
  });

  it('cartesian, zip and zipWithIndex', async () => {
    await fc.assert(
      fc.asyncProperty(rowsArbitrary, rowsArbitrary, async (left, right) => {
        const [l, r] = [dataset(left), dataset(right)];
        const product = l.cartesian(r);
        expect(product.partitions).toBe(left.length * right.length);
        const pairs = left.flat().flatMap((a) => right.flat().map((b) => [a, b]));
        expect(unordered(await product.collect())).toEqual(unordered(pairs));
        expect(await (await l.zipWithIndex()).collect()).toEqual(
          left.flat().map((row, index) => [row, index]),
        );
        const twice = l.zip(l.map((row) => [row]));
        expect(await twice.collect()).toEqual(left.flat().map((row) => [row, [row]]));
      }),
    );
  });

  it('zip refuses unequal partitions', async () => {
    const two = dataset([[1], [2]]);
    expect(() => two.zip(dataset([[1]]))).toThrow('this one has 2, the other 1');
    await expect(two.zip(dataset([[1], []])).collect()).rejects.toMatchObject({ code: 'USER_CODE' });
  });
});
