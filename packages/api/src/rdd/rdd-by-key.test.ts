import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { canonicalKey } from '../canonical-key.ts';
import { HashPartitioner } from '../partitioner.ts';
import { anyKey, anyPairs, dataset, unordered } from '../testing/datasets.ts';
import { referenceRunner } from '../testing/reference-runner.ts';

const add = (a: number, b: number): number => a + b;
const count = fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined });

/** Values by key in plain arrays: in order of first appearance, the key that appeared first. */
function grouped<V>(partitions: readonly (readonly (readonly [unknown, V])[])[]): [unknown, V[]][] {
  const groups = new Map<string, [unknown, V[]]>();
  for (const [key, value] of partitions.flat()) {
    const group = groups.get(canonicalKey(key));
    if (group) group[1].push(value);
    else groups.set(canonicalKey(key), [key, [value]]);
  }
  return [...groups.values()];
}

const mapped = <V, U>(groups: [unknown, V[]][], f: (values: V[]) => U): [unknown, U][] =>
  groups.map(([key, values]) => [key, f(values)]);

describe('operators by key, against plain arrays', () => {
  it('reduceByKey, foldByKey, aggregateByKey and combineByKey combine what groupByKey groups', async () => {
    await fc.assert(
      fc.asyncProperty(anyPairs(), count, async (rows, n) => {
        const groups = grouped(rows);
        const rdd = () => dataset(rows);
        const sums = unordered(mapped(groups, (values) => values.reduce(add)));
        expect(unordered(await rdd().reduceByKey(add, n).collect())).toEqual(sums);
        expect(unordered(await rdd().foldByKey(0, add, n).collect())).toEqual(sums);
        expect(unordered(await rdd().groupByKey(n).collect())).toEqual(unordered(groups));
        const push = (all: number[], value: number): number[] => {
          all.push(value);
          return all;
        };
        const concat = (a: number[], b: number[]): number[] => [...a, ...b];
        const zero: number[] = [];
        expect(unordered(await rdd().aggregateByKey(zero, push, concat, n).collect())).toEqual(
          unordered(groups),
        );
        const combined = rdd().combineByKey((v) => [v], push, concat, n);
        expect(unordered(await combined.collect())).toEqual(unordered(groups));
        expect(zero).toEqual([]);
      }),
    );
  });

  it('keys, values, countByKey and lookup', async () => {
    await fc.assert(
      fc.asyncProperty(anyPairs(), anyKey(), async (rows, wanted) => {
        const rdd = dataset(rows);
        expect(await rdd.keys().collect()).toEqual(rows.flat().map(([key]) => key));
        expect(await rdd.values().collect()).toEqual(rows.flat().map(([, value]) => value));
        const counts = mapped(grouped(rows), (values) => values.length);
        expect(unordered(await rdd.countByKey())).toEqual(unordered(counts));
        const found = grouped(rows).find(([key]) => canonicalKey(key) === canonicalKey(wanted));
        expect(await rdd.lookup(wanted)).toEqual(found?.[1] ?? []);
      }),
    );
  });

  it('partitionBy puts equal keys into one partition, in order', async () => {
    await fc.assert(
      fc.asyncProperty(anyPairs(), fc.integer({ min: 1, max: 5 }), async (rows, n) => {
        const parts = await dataset(rows).partitionBy(n).glom().collect();
        expect(parts).toHaveLength(n);
        expect(unordered(parts.flat())).toEqual(unordered(rows.flat()));
        for (const [key, values] of grouped(rows)) {
          const homes = parts.map((part) =>
            part.filter(([other]) => canonicalKey(other) === canonicalKey(key)),
          );
          const home = homes.filter((part) => part.length > 0);
          expect(home.map((part) => part.map(([, value]) => value))).toEqual([values]);
        }
      }),
    );
  });

  it('sortByKey is a stable sort of the whole, in ranges', async () => {
    const pairs = fc.array(fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.nat()), { maxLength: 30 }), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(pairs, count, fc.boolean(), async (rows, partitions, descending) => {
        const sign = descending ? -1 : 1;
        const expected = rows.flat().toSorted(([a], [b]) => sign * (a - b));
        const rdd = dataset(rows);
        const options = { descending, ...(partitions === undefined ? {} : { partitions }) };
        const sorted = await rdd.sortByKey(options);
        expect(sorted.partitions).toBeLessThanOrEqual(partitions ?? Math.max(1, rows.length));
        expect(await sorted.collect()).toEqual(expected);
        const byCompare = await rdd.sortByKey({ ...options, compare: (a, b) => b - a });
        expect(await byCompare.collect()).toEqual(rows.flat().toSorted(([a], [b]) => sign * (b - a)));
      }),
    );
  });

  it('sortByKey divides the rows about evenly', async () => {
    const rows = Array.from({ length: 4 }, (_, p) =>
      Array.from({ length: 500 }, (_row, i) => [i * 4 + p, 0] as const),
    );
    const sorted = await dataset(rows).sortByKey({ partitions: 5 });
    const sizes = (await sorted.glom().collect()).map((part) => part.length);
    expect(sizes).toHaveLength(5);
    for (const size of sizes) expect(Math.abs(size - 400)).toBeLessThan(250);
  });
});

describe('mistakes', () => {
  const rdd = () => dataset([[['a', 1]]] as [string, number][][]);
  const untyped = (value: unknown): never => value as never;

  it('lookup reads one partition where the driver knows which, and all where only executors do', async () => {
    const runner = referenceRunner();
    const rows: [unknown, number][] = [
      ['a', 1],
      [['a', 1], 2],
      [3, 3],
      ['b', 4],
      ['a', 5],
    ];
    const given = dataset([rows.slice(0, 3), rows.slice(3)], runner);
    const partitionsOfLast = () => runner.jobs.at(-1)?.partitions;
    const hashed = given.partitionBy(5).mapValues((v) => v);
    for (const [key, values] of [
      ['a', [1, 5]],
      [['a', 1], [2]],
      ['nobody', []],
    ] as const) {
      expect(await hashed.lookup(key)).toEqual(values);
      expect(partitionsOfLast()).toHaveLength(1);
      expect(await given.lookup(key)).toEqual(values);
      expect(partitionsOfLast()).toBeUndefined();
    }
    const own = given.partitionBy({ partitions: 2, partitionOf: () => 1 });
    expect(await own.lookup('a')).toEqual([1, 5]);
    expect(partitionsOfLast()).toBeUndefined();
    const numbers = dataset([Array.from({ length: 40 }, (_, i): [number, number] => [i % 20, i])], runner);
    for (const descending of [true, false]) {
      const sorted = await numbers.sortByKey({ partitions: 4, descending });
      for (const key of [0, 7, 19, 99, -1]) {
        expect(await sorted.lookup(key)).toEqual(await numbers.lookup(key));
        await sorted.lookup(key);
        expect(partitionsOfLast()).toHaveLength(1);
      }
      expect(await sorted.lookup(untyped('x'))).toEqual([]);
    }
  });

  it('wrong numbers of partitions and functions are refused at the call', () => {
    for (const wrong of [
      0,
      -1,
      1.5,
      Number.NaN,
      1e9,
      null,
      {},
      { partitions: 2 },
      { partitions: 2, partitionOf: 5 },
    ])
      expect(() => rdd().groupByKey(untyped(wrong))).toThrow(/JOB_INVALID/);
    expect(() => rdd().groupByKey(untyped(rdd()))).toThrow('partitionOf() needs a function');
    expect(() => new HashPartitioner(0)).toThrow('the number of partitions cannot be 0');
    expect(() => rdd().reduceByKey(untyped(undefined))).toThrow('reduceByKey() needs a function');
    expect(() => rdd().reduceByKey(untyped(async () => 1))).toThrow(/ELEMENT_PROMISE/);
    expect(() =>
      rdd().foldByKey(
        untyped(() => 1),
        add,
      ),
    ).toThrow('the zero value of foldByKey must be plain data');
  });

  it('a key that cannot be one, and a Promise, fail the task at the place of the operator', async () => {
    const keyed = dataset<[unknown, number]>([[[Symbol('s'), 1]]]);
    await expect(keyed.reduceByKey(add).collect()).rejects.toMatchObject({
      code: 'USER_CODE',
      what: 'a symbol cannot be a key',
      details: { place: expect.stringMatching(/:\d+:\d+$/) },
    });
    const later = dataset([
      [
        ['a', 1],
        ['a', 2],
      ],
    ] as [string, number][][]);
    await expect(
      later.reduceByKey(untyped(() => Promise.reject(new Error('x')))).collect(),
    ).rejects.toMatchObject({
      code: 'ELEMENT_PROMISE',
    });
    await expect(rdd().lookup(untyped(() => 1))).rejects.toThrow('cannot be a key');
    const mixed = dataset([
      [
        ['a', 1],
        [1, 1],
      ],
    ] as [unknown, number][][]);
    await expect((await mixed.sortByKey({ partitions: 1 })).collect()).rejects.toThrow('know no order');
    await expect(mixed.sortByKey({ partitions: 2 })).rejects.toThrow('know no order');
  });
});
