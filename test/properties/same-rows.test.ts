import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { RDD } from '@millrace/api';
import { seededRandom } from '@millrace/common';
import { InProcessCluster } from './in-process-cluster.ts';

let cluster: InProcessCluster;
beforeAll(() => {
  cluster = new InProcessCluster({
    random: seededRandom(1),
    executors: 2,
    memoryBytesMax: 1e6,
    inlineBytesMax: 0,
    killChance: 0,
    failChance: 0,
  });
});
afterAll(() => cluster.close());

function numbers(partitions: number): RDD<number> {
  const rows = Array.from({ length: partitions }, (_, partition) =>
    Array.from({ length: 40 }, (__, index) => partition * 40 + index),
  );
  return new RDD<number>({ kind: 'rows', partitions: rows }, cluster.runner);
}

describe('what an operator makes of a partition', () => {
  it('is the same rows wherever the dataset is used: a sample', async () => {
    for (const withReplacement of [false, true]) {
      const sample = numbers(3).sample(withReplacement, 0.5, 7);
      const rows = await sample.collect();
      expect(rows.length).toBeGreaterThan(10);
      expect(
        await numbers(2)
          .filter(() => false)
          .union(sample)
          .collect(),
      ).toEqual(rows);
      const other = numbers(2);
      const pairs = await sample.cartesian(other).collect();
      expect(
        pairs
          .filter(([, b]) => b === 0 || b === 40)
          .map(([a]) => a)
          .toSorted((a, b) => a - b),
      ).toEqual([...rows, ...rows].toSorted((a, b) => a - b));
    }
  });

  it('is the same rows wherever the dataset is used: indexes', async () => {
    const indexed = await numbers(3).zipWithIndex();
    expect(
      await numbers(2)
        .filter(() => false)
        .map((n): [number, number] => [n, 0])
        .union(indexed)
        .collect(),
    ).toEqual(await indexed.collect());
    const pairs = await numbers(2).cartesian(indexed).collect();
    expect(pairs.filter(([a]) => a === 0).map(([, b]) => b)).toEqual(await indexed.collect());
  });
});
