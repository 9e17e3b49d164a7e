import type { OperatorCall } from '../lineage/rdd-node.ts';

/**
 * The operator for a dataset whose partition 0 is task partition `base` of its job, as in a union: operators that see the index of their
 * partition count from there. Whoever cuts a job into pipelines applies it.
 */
export function rebased(operator: OperatorCall, base: number): OperatorCall {
  const at = BASE_AT[operator.kind];
  if (base === 0 || at === undefined) return operator;
  const numbers = [...operator.numbers];
  numbers[at] = (numbers[at] ?? 0) + base;
  return { ...operator, numbers };
}

/** Which of its numbers says where an operator counts from. */
const BASE_AT: Partial<Record<OperatorCall['kind'], number>> = {
  withIndex: 0,
  mapPartitionsWithIndex: 0,
  sample: 3,
};
