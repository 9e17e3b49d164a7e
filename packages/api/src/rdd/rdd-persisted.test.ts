import { describe, expect, it } from '@jest/globals';
import { cutLineage } from '../lineage/cut-lineage.ts';
import { partitionerOf } from '../lineage/partitioner-call.ts';
import type { PersistedNode } from '../lineage/rdd-node.ts';
import { sampleSeed } from '../lineage/sample-seed.ts';
import { StorageLevel } from '../lineage/storage-level.ts';
import { RDD } from '../rdd.ts';
import { referenceRunner } from '../testing/reference-runner.ts';

function setup() {
  const runner = referenceRunner();
  const sales = new RDD<readonly [string, number]>(
    {
      kind: 'rows',
      partitions: [
        [['a', 1]],
        [],
        [
          ['b', 2],
          ['a', 3],
        ],
      ],
    },
    runner,
  );
  return { runner, sales };
}

describe('a persisted RDD', () => {
  it('has the rows, partitions, ranges and partitioner of what it keeps', async () => {
    const { sales, runner } = setup();
    const sums = sales.reduceByKey((a, b) => a + b, 2);
    const kept = sums.persist(StorageLevel.DISK_ONLY);
    expect(kept.storageLevel).toBe('DISK_ONLY');
    expect(sums.storageLevel).toBeUndefined();
    expect(kept.partitions).toBe(2);
    expect(partitionerOf(kept.node)).toEqual({ kind: 'hash', partitions: 2 });
    expect(await kept.collect()).toEqual(await sums.collect());
    expect(runner.kept).toEqual(new Set([kept.node]));
  });

  it('is the same when it is persisted again, and refuses another level', () => {
    const kept = setup().sales.cache();
    expect(kept.storageLevel).toBe('MEMORY_AND_DISK');
    expect(kept.persist()).toBe(kept);
    expect(() => kept.persist('MEMORY_ONLY')).toThrow(expect.objectContaining({ code: 'JOB_INVALID' }));
    expect(() => kept.persist('OFF_HEAP' as never)).toThrow(/no storage level/);
  });

  it('lets go of what is kept, and gives back the RDD that was persisted', async () => {
    const { sales, runner } = setup();
    const kept = sales.mapValues((v) => v + 1).cache();
    const rows = await kept.collect();
    const plain = kept.unpersist();
    expect(runner.kept.size).toBe(0);
    expect(plain.storageLevel).toBeUndefined();
    expect(plain.unpersist()).toBe(plain);
    expect(await plain.collect()).toEqual(rows);
    expect(await kept.collect()).toEqual(rows);
    expect(runner.kept.size).toBe(0);
    const again = plain.cache();
    await again.count();
    expect(runner.kept.size).toBe(1);
  });

  it('keeps a join from moving its rows again', async () => {
    const { sales, runner } = setup();
    const kept = sales.partitionBy(2).persist();
    await kept.count();
    const moved = runner.movedRows;
    expect(await kept.join(kept).count()).toBe(5);
    expect(runner.movedRows).toBe(moved);
  });
});

describe('checkpoint', () => {
  it('is another RDD, once, that no unpersist lets go of, and that has no ranges before and after its lineage is cut', async () => {
    const range = { topic: 't', partition: 0, fromOffset: 1, untilOffset: 3 };
    const runner = referenceRunner(() => [['a', 1]]);
    const read = new RDD<[string, number]>({ kind: 'kafka', source: {} as never, ranges: [range] }, runner);
    const kept = read.partitionBy(3).checkpoint();
    expect(kept.checkpoint()).toBe(kept);
    expect(kept.unpersist()).toBe(kept);
    expect(runner.kept.size).toBe(0);
    expect([read.isCheckpointed, kept.isCheckpointed, kept.getCheckpointFile()]).toEqual([
      false,
      false,
      undefined,
    ]);
    expect(await kept.collect()).toEqual([['a', 1]]);
    const sampled = read.sample(false, 1).checkpoint();
    const look = () => [
      sampleSeed(sampled.node, 1),
      kept.partitions,
      kept.offsetRanges,
      kept.mapValues((v) => v).union(read).offsetRanges,
      partitionerOf(kept.node),
    ];
    const before = look();
    expect(before.slice(1)).toEqual([3, [], [range], { kind: 'hash', partitions: 3 }]);
    for (const { node } of [kept, kept, sampled]) cutLineage(node as PersistedNode, 'a file');
    expect(look()).toEqual(before);
    expect([kept.isCheckpointed, kept.getCheckpointFile()]).toEqual([true, 'a file']);
    expect(await kept.collect()).toEqual([['a', 1]]);
  });
});

describe('coalesce', () => {
  it('takes neighbours, in balance, and leaves fewer as they are', async () => {
    const { runner } = setup();
    const partitions = Array.from({ length: 7 }, (_, i) => [i]);
    const rdd = new RDD<number>({ kind: 'rows', partitions }, runner);
    expect(await rdd.coalesce(3).glom().collect()).toEqual([
      [0, 1],
      [2, 3],
      [4, 5, 6],
    ]);
    expect(rdd.coalesce(9).partitions).toBe(7);
    expect(rdd.coalesce(9, { shuffle: true }).partitions).toBe(9);
    expect(() => rdd.coalesce(0)).toThrow();
  });
});

describe('concatenated datasets', () => {
  it('are partitioned as all of them are, or not at all', () => {
    const { sales, runner } = setup();
    const concat = (...rdds: readonly RDD<never>[]) =>
      new RDD<never>(
        { kind: 'merge', how: 'concat', parents: rdds.map(({ node }) => node), place: '' },
        runner,
      );
    const [a, b, other] = [2, 2, 3].map((n) => sales.partitionBy(n) as unknown as RDD<never>) as [
      RDD<never>,
      RDD<never>,
      RDD<never>,
    ];
    expect(partitionerOf(concat(a, b).node)).toEqual({ kind: 'hash', partitions: 2 });
    expect(partitionerOf(concat(a, other).node)).toBeUndefined();
    expect(partitionerOf(concat(a, sales as never).node)).toBeUndefined();
    // A lineage of many paths.
    let deep = a;
    for (let i = 0; i < 100; i++) deep = concat(deep, deep);
    expect(partitionerOf(deep.node)).toEqual({ kind: 'hash', partitions: 2 });
  });
});
