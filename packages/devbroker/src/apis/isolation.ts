import type { PartitionLog } from '../storage/partition-log.ts';

const READ_COMMITTED = 1;

export function isCommittedOnly(isolationLevel: number): boolean {
  return isolationLevel === READ_COMMITTED;
}

/** Where a reader of this isolation level ends. Exclusive. */
export function visibleEnd(log: PartitionLog, isolationLevel: number): number {
  return isCommittedOnly(isolationLevel) ? log.lastStableOffset : log.logEndOffset;
}
