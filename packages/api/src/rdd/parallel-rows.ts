import { deserialize } from 'node:v8';
import { MillraceError } from '@millrace/common';
import type { RddNode } from '../lineage/rdd-node.ts';
import { checkPartitioning } from '../partitioner.ts';
import { callerPlace } from '../place.ts';
import { plainValue } from '../plain-zero.ts';

/** As they are now: later changes of the array do not matter. Slices as Spark's ParallelCollectionRDD cuts them. @throws MillraceError JOB_INVALID. */
export function parallelRows(rows: readonly unknown[], partitions: number): RddNode {
  checkPartitioning(partitions);
  if (!Array.isArray(rows))
    throw new MillraceError('JOB_INVALID', 'parallelize() was given no array of rows', {
      remedy: 'Give it an array of plain data.',
      details: { place: callerPlace() },
    });
  const own = deserialize(plainValue('what parallelize() is given', 'rows', rows)) as readonly unknown[];
  const at = (index: number): number => Math.floor((index * own.length) / partitions);
  return {
    kind: 'rows',
    partitions: Array.from({ length: partitions }, (_, index) => own.slice(at(index), at(index + 1))),
  };
}
