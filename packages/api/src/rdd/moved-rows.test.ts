import { describe, expect, it } from '@jest/globals';
import { HashPartitioner, type Partitioner } from '../partitioner.ts';
import { dataset, unordered } from '../testing/datasets.ts';
import { referenceRunner } from '../testing/reference-runner.ts';

const add = (a: number, b: number): number => a + b;

describe('what moves', () => {
  const rows = [
    [
      ['a', 1],
      ['b', 2],
      ['a', 3],
    ],
    [
      ['a', 4],
      ['b', 5],
    ],
  ] as [string, number][][];

  it('reduceByKey moves one row a key and partition', async () => {
    const runner = referenceRunner();
    await dataset(rows, runner).reduceByKey(add).collect();
    expect(runner.movedRows).toBe(4);
  });

  it('nothing, when the rows are partitioned so already', async () => {
    const runner = referenceRunner();
    const there = dataset(rows, runner).partitionBy(new HashPartitioner(3));
    const again = there
      .partitionBy(3)
      .mapValues((v) => v)
      .filter(() => true)
      .reduceByKey(add, 3)
      .groupByKey();
    expect(again.partitions).toBe(3);
    expect(unordered(await again.collect())).toEqual(
      unordered([
        ['a', [8]],
        ['b', [7]],
      ]),
    );
    expect(runner.movedRows).toBe(5);
  });

  it('rows, when the number of partitions differs or a map may have changed the key', async () => {
    const runner = referenceRunner();
    const there = dataset(rows, runner).partitionBy(3);
    await there.partitionBy(2).collect();
    expect(runner.movedRows).toBe(10);
    await there
      .map((row) => row)
      .partitionBy(3)
      .collect();
    expect(runner.movedRows).toBe(20);
  });

  it('a partitioner of the job decides, and is known again by its function', async () => {
    const runner = referenceRunner();
    const byLetter = { partitions: 3, partitionOf: (key: string) => (key === 'a' ? 2 : 0) };
    const there = dataset(rows, runner).partitionBy(byLetter);
    expect(await there.glom().collect()).toEqual([
      [
        ['b', 2],
        ['b', 5],
      ],
      [],
      [
        ['a', 1],
        ['a', 3],
        ['a', 4],
      ],
    ]);
    expect(await there.reduceByKey(add, byLetter).collect()).toEqual([
      ['b', 7],
      ['a', 8],
    ]);
    expect(runner.movedRows).toBe(10);
    const outside = dataset(rows).partitionBy({ partitions: 2, partitionOf: () => 2 });
    await expect(outside.collect()).rejects.toMatchObject({ code: 'USER_CODE' });
  });

  it('a partitioner of a class keeps its `this`', async () => {
    class ByLength implements Partitioner<string> {
      readonly partitions: number;
      constructor(partitions: number) {
        this.partitions = partitions;
      }
      partitionOf(key: string): number {
        return key.length % this.partitions;
      }
    }
    const runner = referenceRunner();
    const byLength = new ByLength(2);
    const there = dataset(rows, runner).partitionBy(byLength);
    expect((await there.glom().collect()).map((part) => part.length)).toEqual([0, 5]);
    await there.groupByKey(byLength).collect();
    expect(runner.movedRows).toBe(10);
  });

  it("the default is the parents' largest partitioner, unless it is much smaller than a parent", () => {
    const parts = (n: number) => dataset<[string, number]>(Array.from({ length: n }, () => []));
    expect(parts(7).reduceByKey(add).partitions).toBe(7);
    expect(parts(7).join(parts(9)).partitions).toBe(9);
    expect(parts(7).partitionBy(3).join(parts(9)).partitions).toBe(3);
    expect(parts(7).partitionBy(3).join(parts(9).partitionBy(4)).partitions).toBe(4);
    expect(parts(7).partitionBy(3).join(parts(30)).partitions).toBe(30);
    expect(parts(0).groupByKey().partitions).toBe(1);
  });
});
