import { deserialize } from 'node:v8';
import { rowOrder } from '../row-order.ts';
import type { RangePartitionerCall } from './partitioner-call.ts';

/** Keys of one partition, and how many rows they stand for. */
export interface KeySample {
  readonly rows: number;
  readonly keys: readonly unknown[];
}

/**
 * The partition of each key: ascending, the number of bounds below it (a bound belongs to the partition that it ends); descending, counted
 * from the other end. `compare`: the partitioner's function, revived.
 * The function throws MillraceError USER_CODE for keys without a natural order.
 */
export function rangeIndex(
  { bounds, direction }: Pick<RangePartitionerCall, 'bounds' | 'direction'>,
  compare?: (a: unknown, b: unknown) => number,
): (key: unknown) => number {
  const order = rowOrder(1, compare);
  const ends = deserialize(bounds) as readonly unknown[];
  return (key) => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (order(ends[middle], key) < 0) low = middle + 1;
      else high = middle;
    }
    return direction === 1 ? low : ends.length - low;
  };
}

/**
 * At most `partitions` − 1 distinct keys, ascending, that divide the rows about evenly: each sampled key stands for rows / keys rows of its
 * partition (Spark's RangePartitioner.determineBounds). Fewer when there are fewer keys.
 */
export function rangeBounds(
  samples: readonly KeySample[],
  partitions: number,
  compare?: (a: unknown, b: unknown) => number,
): readonly unknown[] {
  const order = rowOrder(1, compare);
  const weighted = samples.flatMap(({ rows, keys }) =>
    keys.map((key) => ({ key, weight: rows / keys.length })),
  );
  weighted.sort((a, b) => order(a.key, b.key));
  const step = weighted.reduce((sum, { weight }) => sum + weight, 0) / partitions;
  const bounds: unknown[] = [];
  let reached = 0;
  let target = step;
  for (const { key, weight } of weighted) {
    reached += weight;
    if (reached < target || bounds.length >= partitions - 1) continue;
    if (bounds.length > 0 && order(key, bounds.at(-1)) === 0) continue;
    bounds.push(key);
    target += step;
  }
  return bounds;
}
