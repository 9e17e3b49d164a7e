import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { OPERATORS } from '../operators/index.ts';
import { rebased } from '../operators/rebased.ts';
import { rowsOf } from '../rows.ts';
import { type PartitionerCall, partitionerOf, samePartitioner } from './partitioner-call.ts';
import { rangeBounds, rangeIndex } from './range-index.ts';
import {
  type OperatorCall,
  type OperatorKind,
  offsetRangesOf,
  partitionCount,
  type RddNode,
} from './rdd-node.ts';

const call = (kind: OperatorKind, numbers: readonly number[] = []): OperatorCall => ({
  kind,
  functions: [],
  numbers,
  place: '',
});
const op = (parent: RddNode, kind: OperatorKind): RddNode => ({
  kind: 'operator',
  parent,
  operator: call(kind),
});
const shuffle = (parent: RddNode, partitioner: PartitionerCall): RddNode => ({
  kind: 'shuffle',
  parent,
  partitioner,
  place: '',
});
const rows = (n: number): RddNode => ({ kind: 'rows', partitions: Array.from({ length: n }, () => []) });
const shipped = (hash: string) => ({ hash, bytes: new Uint8Array(), place: '', broadcastIds: [] });
const range = { topic: 't', partition: 0, fromOffset: 1, untilOffset: 5 };
const kafka: RddNode = { kind: 'kafka', source: {} as never, ranges: [range] };

describe('lineage', () => {
  it('counts partitions: of a shuffle its own, of a cartesian the product', () => {
    const four = shuffle(rows(2), { kind: 'hash', partitions: 4 });
    const merge = (how: 'cogroup' | 'cartesian'): RddNode => ({
      kind: 'merge',
      how,
      parents: [four, four],
      place: '',
    });
    expect([four, merge('cogroup'), merge('cartesian')].map(partitionCount)).toEqual([4, 4, 16]);
  });

  it('is as deep as it likes, and shows each source of a shuffle once', () => {
    let deep = shuffle(kafka, { kind: 'hash', partitions: 3 });
    for (let i = 0; i < 50_000; i++) deep = op(deep, 'mapValues');
    expect([partitionCount(deep), partitionerOf(deep), offsetRangesOf(deep)]).toEqual([
      3,
      { kind: 'hash', partitions: 3 },
      [range],
    ]);
    for (let i = 0; i < 100; i++) deep = { kind: 'merge', how: 'cogroup', parents: [deep, deep], place: '' };
    expect([partitionCount(deep), partitionerOf(deep), offsetRangesOf(deep)]).toEqual([
      3,
      { kind: 'hash', partitions: 3 },
      [range],
    ]);
  });

  it('forgets the partitioner where keys may change', () => {
    const there = shuffle(rows(2), { kind: 'hash', partitions: 4 });
    for (const kind of [
      'filter',
      'mapValues',
      'flatMapValues',
      'sample',
      'combine',
      'mergeCombiners',
      'group',
      'sortRows',
      'joinRows',
      'subtractRows',
    ] as const)
      expect(partitionerOf(op(there, kind))).toEqual({ kind: 'hash', partitions: 4 });
    for (const kind of [
      'map',
      'flatMap',
      'mapPartitions',
      'keys',
      'values',
      'toPair',
      'keyBy',
      'withIndex',
      'intersectRows',
    ] as const)
      expect(partitionerOf(op(there, kind))).toBeUndefined();
    expect(partitionerOf({ kind: 'union', parents: [there] })).toBeUndefined();
    expect(partitionerOf({ kind: 'merge', how: 'zip', parents: [there, there], place: '' })).toBeUndefined();
    expect(partitionerOf(shuffle(rows(1), { kind: 'roundRobin', partitions: 2 }))).toBeUndefined();
  });
});

describe('partitioners', () => {
  it('are the same by content', () => {
    const ranged = (bounds: unknown[], direction: 1 | -1, f?: string): PartitionerCall => ({
      kind: 'range',
      partitions: 3,
      bounds: serialize(bounds),
      direction,
      ...(f === undefined ? {} : { function: shipped(f) }),
    });
    const custom = (hash: string, partitions = 3): PartitionerCall => ({
      kind: 'custom',
      partitions,
      function: shipped(hash),
    });
    const all = (): PartitionerCall[] => [
      { kind: 'hash', partitions: 3 },
      { kind: 'hash', partitions: 4 },
      ranged([1, 2], 1),
      ranged([1, 2], -1),
      ranged([1, 3], 1),
      ranged([1, 2], 1, 'f'),
      custom('f'),
      custom('g'),
      custom('f', 4),
    ];
    for (const [i, a] of all().entries())
      for (const [j, b] of all().entries()) expect(samePartitioner(a, b)).toBe(i === j);
    const robin: PartitionerCall = { kind: 'roundRobin', partitions: 3 };
    expect(samePartitioner(robin, robin)).toBe(false);
  });

  it('ranges keep the order of keys over partitions, both ways', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1 })),
        fc.integer({ min: 1, max: 6 }),
        (samples, n) => {
          const bounds = rangeBounds(
            samples.map((keys) => ({ rows: keys.length, keys })),
            n,
          );
          expect(bounds.length).toBeLessThan(n);
          expect(bounds).toEqual([...new Set(bounds)].toSorted((a, b) => Number(a) - Number(b)));
          const keys = samples.flat().toSorted((a, b) => a - b);
          const up = keys.map(rangeIndex({ bounds: serialize(bounds), direction: 1 }));
          const down = keys.map(rangeIndex({ bounds: serialize(bounds), direction: -1 }));
          expect(up).toEqual(up.toSorted((a, b) => a - b));
          expect(down).toEqual(up.map((index) => bounds.length - index));
        },
      ),
    );
  });

  it('ranges weigh a sampled key by the rows that it stands for', () => {
    const bounds = rangeBounds(
      [
        { rows: 900, keys: [1, 2, 3] },
        { rows: 3, keys: [7, 8, 9] },
      ],
      3,
    );
    expect(bounds).toEqual([2, 3]);
  });
});

describe('operators that see the index of their partition', () => {
  it.each([
    ['withIndex', [0, 10, 20]],
    ['mapPartitionsWithIndex', []],
  ] as const)('%s counts from the first of its dataset', async (kind, numbers) => {
    const definition = OPERATORS[kind];
    if (definition.form !== 'partition') throw new Error('form');
    const f = async (index: number, given: { toArray(): Promise<string[]> }) =>
      (await given.toArray()).map((row) => [row, index * 10 + 10]);
    const { numbers: moved } = rebased(rebased(call(kind, numbers), 3), 2);
    async function* one() {
      yield ['row'];
    }
    const task = { functions: [f], numbers: moved, partition: 6, signal: new AbortController().signal };
    expect(await rowsOf(definition.run(one(), task)).toArray()).toEqual([['row', 20]]);
  });
});
