import type { TaskSet } from '../task-backend.ts';
import type { Occupant, Slot } from './slot-pool.ts';
import type { TaskRun } from './task-run.ts';

// Tasks that wait behind others in their slot ("ahead"): as soon as one ends the next one begins, its records fetched already, and no
// message has to go to the driver and back first. That is worth 2–4 ms a task (`npm run bench -- tiny`), so only short ones go ahead:
// behind a long task one would wait while another slot idles.

/** A slot is given more while all that it has takes no longer than this, as far as is known. */
const AHEAD_MS_MAX = 20;
const AHEAD_TASKS_MAX = 16;
/** What still waits behind a task that takes so long, against expectation, or for a process, is called back when another slot is free. */
export const RECALL_MS = 100;

export function mayGoAhead(occupants: readonly Occupant[], expectedMs: number, now: number): boolean {
  const [running] = occupants;
  if (!running || occupants.length > AHEAD_TASKS_MAX || now - running.since > AHEAD_MS_MAX) return false;
  return occupants.reduce((sum, occupant) => sum + occupant.expectedMs, expectedMs) <= AHEAD_MS_MAX;
}

/** What waits in this slot and should be called back now. While the slot's process is being replaced, nothing in it has begun. */
export function overdueWaiters({ ready, occupants }: Slot, now: number): readonly Occupant[] {
  const [first] = occupants;
  if (!first || now - first.since < RECALL_MS) return [];
  return occupants.filter((occupant) => !occupant.recalled && !(ready && occupant === first));
}

/**
 * Tasks of two batches are the same when they read the same partition in the same place of the program; those that are at home nowhere are all
 * alike in one stage.
 */
export function durationKey({ key }: TaskSet, { description: { preference } }: TaskRun): string {
  const partition = preference.kind === 'any' ? '' : preference.affinity;
  return `${key.application}/${key.jobId}/${key.stageId}/${partition}`;
}
