import type { PartitionerCall } from '../lineage/partitioner-call.ts';
import type { RddNode } from '../lineage/rdd-node.ts';
import type { Partitioning } from '../partitioner.ts';
import { COUNT_PLAN, type ShufflePlan } from './shuffle-plan.ts';

// What a stream makes of a whole batch: datasets where an RDD's action gives a value.

const ONE: PartitionerCall = { kind: 'hash', partitions: 1 };

/** A count that counts nothing. */
export const NO_ROWS: RddNode = { kind: 'rows', partitions: [[[undefined, 0]]] };

/** One row: how many rows there are, also when there is none. */
export function countedRows(plan: ShufflePlan, node: RddNode): RddNode {
  return plan.operator(countedPair(plan, node), 'values');
}

/** One row [undefined, how many rows there are]. */
export function countedPair(plan: ShufflePlan, node: RddNode): RddNode {
  const counts = plan.operator(node, 'countRows');
  const moved = plan.moved({ kind: 'union', parents: [counts, NO_ROWS] }, ONE);
  return plan.operator(moved, 'mergeCombiners', COUNT_PLAN.reduce);
}

/** One row: f over all rows; none of an empty dataset. */
export function reducedRows(plan: ShufflePlan, node: RddNode, f: Function): RddNode {
  return plan.operator(reducedPair(plan, node, f), 'values');
}

/** One row [undefined, f over all rows]; none of an empty dataset. */
export function reducedPair(plan: ShufflePlan, node: RddNode, f: Function): RddNode {
  const functions = plan.shipped('reduce', f);
  const combine = { map: { functions }, reduce: { functions } };
  return plan.combined(plan.operator(node, 'withoutKey'), combine, ONE);
}

/** [row, how often it occurs]. */
export function countedValues(
  plan: ShufflePlan,
  node: RddNode,
  partitions: Partitioning<never> | undefined,
): RddNode {
  return plan.combined(plan.operator(node, 'toPair'), COUNT_PLAN, plan.partitioner(partitions, [node]));
}
