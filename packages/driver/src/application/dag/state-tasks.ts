import type { StateCall } from '@millrace/api/internal';
import type { TaskPreference } from '../../task-backend.ts';

/** Where the state of a partition is: the slot that computed it last holds it. */
export function statePreference({ name }: StateCall, partition: number): TaskPreference {
  const key = `state/${name}/${partition}`;
  return { kind: 'consistent', key, affinity: key };
}

/** The task of this partition has something to do also when there are no rows for it. */
export function runsAlways(
  { kept, mode, layout, valueVersion, snapshots, timeoutMs, batchTime }: StateCall,
  partition: number,
): true | undefined {
  if (kept === undefined) return undefined;
  const isOther = kept.valueVersion !== valueVersion || kept.layout !== layout;
  const head = kept.heads[partition];
  if (isOther) return true;
  if (head === undefined || head.keys === 0) return undefined;
  if (mode !== 'map' || snapshots) return true;
  if (timeoutMs === undefined) return undefined;
  // Keys may have been kept without a timeout before: then nobody noted their times.
  return head.oldest === undefined || head.oldest <= batchTime - timeoutMs ? true : undefined;
}
