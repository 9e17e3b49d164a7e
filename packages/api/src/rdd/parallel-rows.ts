import { deserialize } from 'node:v8';
import type { RddNode } from '../lineage/rdd-node.ts';
import { checkPartitioning } from '../partitioner.ts';
import { plainValue } from '../plain-zero.ts';

/** As they are now: later changes of the array do not matter. Slices as Spark's ParallelCollectionRDD cuts them. */
export function parallelRows(rows: readonly unknown[], partitions: number): RddNode {
  checkPartitioning(partitions);
  const own = deserialize(plainValue('what parallelize() is given', 'rows', rows)) as readonly unknown[];
  const at = (index: number): number => Math.floor((index * own.length) / partitions);
  return {
    kind: 'rows',
    partitions: Array.from({ length: partitions }, (_, index) => own.slice(at(index), at(index + 1))),
  };
}
