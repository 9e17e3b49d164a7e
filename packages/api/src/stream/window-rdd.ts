import { partitionerOf, samePartitioner } from '../lineage/partitioner-call.ts';
import { partitionCount, type RddNode } from '../lineage/rdd-node.ts';
import type { Partitioning } from '../partitioner.ts';
import type { CombinePlan, ShufflePlan } from '../rdd/shuffle-plan.ts';

/**
 * One dataset of those of several batches, oldest first. Where all are partitioned by key alike, partition i is partition i of each, so that
 * nothing moves again (Spark's PartitionerAwareUnionRDD); else their partitions stand one after the other.
 */
export function windowed(batches: readonly RddNode[], place: string): RddNode {
  const [first, ...rest] = batches;
  if (first === undefined) return { kind: 'rows', partitions: [] };
  if (rest.length === 0) return first;
  return isAlike(first, rest)
    ? { kind: 'merge', how: 'concat', parents: batches, place }
    : { kind: 'union', parents: batches };
}

function isAlike(first: RddNode, rest: readonly RddNode[]): boolean {
  const own = partitionerOf(first);
  if (own === undefined || partitionCount(first) !== own.partitions) return false;
  return rest.every((other) => {
    const partitioner = partitionerOf(other);
    return partitioner !== undefined && samePartitioner(own, partitioner);
  });
}

/** Rows [key, value] of a window where their keys belong: as they are, when all batches had them there. */
export function movedByKey(
  plan: ShufflePlan,
  node: RddNode,
  partitions: Partitioning<never> | undefined,
): RddNode {
  // Batches that are partitioned differently: not as many partitions as all of them have together.
  return plan.moved(node, plan.partitioner(partitions, node.kind === 'union' ? node.parents : [node]));
}

/** One row a key, of rows [key, combiner] of a window. */
export function mergedByKey(
  plan: ShufflePlan,
  node: RddNode,
  partitions: Partitioning<never> | undefined,
  merge: CombinePlan['reduce'],
): RddNode {
  return plan.operator(movedByKey(plan, node, partitions), 'mergeCombiners', merge);
}
