import type { OperatorCall, RddNode, ShuffleNode } from '@millrace/api/internal';

// Lineages for tests of the planner and the scheduler.

export function rows(...partitions: readonly unknown[][]): RddNode {
  return { kind: 'rows', partitions };
}

export function operator(parent: RddNode, kind: OperatorCall['kind'], place = 'job.ts:1:1'): RddNode {
  return { kind: 'operator', parent, operator: { kind, functions: [], numbers: [], place } };
}

export function shuffle(parent: RddNode, partitions: number): ShuffleNode {
  return { kind: 'shuffle', parent, partitioner: { kind: 'hash', partitions }, place: 'job.ts:2:2' };
}

export function merge(
  how: 'cogroup' | 'zip' | 'cartesian' | 'concat',
  ...parents: readonly RddNode[]
): RddNode {
  return { kind: 'merge', how, parents, place: 'job.ts:3:3' };
}
