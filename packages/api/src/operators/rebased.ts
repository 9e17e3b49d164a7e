import type { OperatorCall } from '../lineage/rdd-node.ts';

/**
 * The operator for a dataset whose partition 0 is task partition `base` of its job, as in a union: operators that see the index of their
 * partition count from there. Whoever cuts a job into pipelines applies it.
 */
export function rebased(operator: OperatorCall, base: number): OperatorCall {
  const isIndexed = operator.kind === 'withIndex' || operator.kind === 'mapPartitionsWithIndex';
  if (base === 0 || !isIndexed) return operator;
  const [own = 0, ...rest] = operator.numbers;
  return { ...operator, numbers: [own + base, ...rest] };
}
