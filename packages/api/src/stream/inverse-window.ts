import { checkElementFunction } from '../element-function.ts';
import type { Partitioning } from '../partitioner.ts';
import { checkStateName } from '../state/state-spec.ts';

/** Of a window that is computed from the one before. */
export interface InverseOptions<K, V> {
  /** Its state is found by it, also by the next version of the job: it must not change, and no other operator of the job may have it. */
  readonly name: string;
  readonly partitions?: Partitioning<K>;
  /** Rows that it refuses are left out. */
  readonly filter?: (row: readonly [K, V]) => boolean;
}

/** Callers without types give anything. @throws MillraceError JOB_INVALID, ELEMENT_PROMISE. */
export function checkInverse(
  operation: string,
  inverse: Function,
  options: InverseOptions<never, never> | undefined,
): void {
  checkElementFunction(operation, inverse);
  if (options?.filter !== undefined) checkElementFunction(`${operation}: filter`, options.filter);
  checkStateName(operation, options?.name);
}
