import { MillraceError, placed } from '@millrace/common';
import type { PartitionOperatorCall } from '../lineage/operator-definition.ts';

/** Work on the rows of a partition, unless its task was cancelled. Errors of keys get the operator's place. */
export function atPlace<R>({ place, signal }: PartitionOperatorCall, run: () => R): R {
  signal.throwIfAborted();
  try {
    return run();
  } catch (error) {
    throw MillraceError.is(error) ? placed(error, place ?? '') : error;
  }
}
