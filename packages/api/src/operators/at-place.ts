import type { PartitionOperatorCall } from '../lineage/operator-definition.ts';
import { failingAt } from '../place.ts';

/** Work on the rows of a partition, unless its task was cancelled. Errors of keys get the operator's place. */
export function atPlace<R>({ place, signal }: PartitionOperatorCall, run: () => R): R {
  signal.throwIfAborted();
  return failingAt(place ?? '', run);
}
