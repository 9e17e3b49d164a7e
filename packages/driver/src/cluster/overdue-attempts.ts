import { type ErrorRecord, MillraceError } from '@millrace/common';
import { type AttemptKey, attemptIdOf } from './scheduler-messages.ts';
import type { Slot } from './slot-pool.ts';
import type { TaskRun } from './task-run.ts';
import type { TaskSetRun } from './task-set-run.ts';

/** The executor enforces a task's time-out; this much later the driver does. */
export const OVERDUE_GRACE_MS = 30_000;

export interface RunningAttempt {
  readonly run: TaskSetRun;
  readonly task: TaskRun;
  readonly key: AttemptKey;
  readonly slot: Slot;
}

export function* runningAttempts(runs: Iterable<TaskSetRun>): Generator<RunningAttempt> {
  for (const run of runs) {
    for (const [partition, task] of run.tasks) {
      if (task.status.state !== 'RUNNING') continue;
      const { attempt, slot } = task.status;
      yield { run, task, key: { ...run.set.key, partition, attempt }, slot };
    }
  }
}

/** One that waits behind another has not begun. */
export function isOverdue({ run, key, slot }: RunningAttempt, now: number): boolean {
  const { taskTimeoutMs } = run.set;
  const [running] = slot.occupants;
  if (running?.attemptId !== attemptIdOf(key)) return false;
  return taskTimeoutMs > 0 && now - running.since >= taskTimeoutMs + OVERDUE_GRACE_MS;
}

export function overdueError({ run, task, key, slot }: RunningAttempt): ErrorRecord {
  const { describes } = task.description;
  const { partition, attempt } = key;
  return MillraceError.toRecord(
    new MillraceError(
      'TASK_TIMEOUT',
      `${describes} ran longer than ${run.set.taskTimeoutMs} ms, and its executor did not end it`,
      {
        remedy:
          'Look at that executor: its process answers and does not end the slot. Or raise taskTimeout in defineJob().',
        details: { partition, attempt, executorId: slot.executor.id },
      },
    ),
  );
}

/** Ids of the attempts that a task set waits for. */
export function wantedIds(runs: Iterable<TaskSetRun>): ReadonlySet<string> {
  return new Set(Array.from(runningAttempts(runs), ({ key }) => attemptIdOf(key)));
}
