import { type ErrorDetails, type ErrorRecord, MillraceError } from '@millrace/common';
import { decodeTask } from '@millrace/proto/task';
import type { SlotTask } from './slot.ts';

/** Why the supervisor itself killed a slot. */
export type KillCause =
  | { readonly kind: 'timeout' }
  | { readonly kind: 'memory'; readonly rssBytes: number }
  | { readonly kind: 'killed'; readonly reason: string }
  /** Something was thrown outside of the task's own flow. */
  | { readonly kind: 'crashed'; readonly error: ErrorRecord }
  | { readonly kind: 'closed' };

export interface SlotDeath {
  readonly code: number | null;
  readonly signal: string | null;
  readonly cause: KillCause | undefined;
  /** The last of what it wrote to standard error. */
  readonly stderrTail: string;
  readonly memoryBytesMax: number;
  readonly pid: number;
}

// What V8 and Node print before they abort for want of memory (heap limit, a length no array can have, no pages from the system).
const OUT_OF_MEMORY =
  /heap out of memory|Allocation failed|invalid (size|array length|table size) error|out of memory|Array buffer allocation/i;

/** Of slots that took longer than they may to be ready. */
export function slowStart(what: string, ms: number): MillraceError {
  return new MillraceError('DEADLINE_EXCEEDED', `${what} within ${ms} ms`, {
    remedy:
      'Where the machine is busy or slow, start the executor with a longer --slot-start-timeout-ms, or with fewer --slots.',
  });
}

/** The error of a task whose slot died under it. */
export function slotDeathError(task: SlotTask, death: SlotDeath): ErrorRecord {
  const details: ErrorDetails = {
    ...taskDetails(task),
    pid: death.pid,
    ...(death.code === null ? {} : { exitCode: death.code }),
    ...(death.signal === null ? {} : { signal: death.signal }),
  };
  if (death.cause?.kind === 'crashed') return death.cause.error;
  return MillraceError.toRecord(describeDeath(task, death, details));
}

function describeDeath(task: SlotTask, death: SlotDeath, details: ErrorDetails): MillraceError {
  const { cause } = death;
  const reads = reading(task);
  const limit = mebibytes(death.memoryBytesMax);
  switch (cause?.kind) {
    case 'timeout':
      return new MillraceError(
        'TASK_TIMEOUT',
        `the task${reads} ran longer than ${task.timeoutMs} ms; its slot was killed`,
        {
          remedy:
            'Look for an endless loop or a call that waits for ever; or raise taskTimeout in defineJob().',
          details: { ...details, timeoutMs: task.timeoutMs },
        },
      );
    case 'memory':
      return outOfMemory(
        `${mebibytes(cause.rssBytes)} MiB of memory; a slot may use ${limit}`,
        reads,
        details,
      );
    case 'killed':
      return new MillraceError('TASK_KILLED', `the task${reads} was killed: ${cause.reason}`, { details });
    case 'closed':
      return new MillraceError('EXECUTOR_LOST', `the executor stopped while the task${reads} ran`, {
        details,
      });
    case 'crashed':
    case undefined:
      break;
  }
  if (OUT_OF_MEMORY.test(death.stderrTail))
    return outOfMemory(`all of its heap (the slot may use ${limit} MiB)`, reads, details);
  return new MillraceError(
    'SLOT_LOST',
    `the slot's process ended (${howItEnded(death)}) while the task${reads} ran`,
    {
      remedy:
        death.signal === 'SIGKILL'
          ? 'Nobody of Millrace sent SIGKILL: the system may be short of memory (see dmesg), or somebody killed it.'
          : 'A lambda, or a package that it uses, ended the process (process.exit, process.kill, a crash in native code).',
      details,
    },
  );
}

function outOfMemory(used: string, reads: string, details: ErrorDetails): MillraceError {
  return new MillraceError('TASK_OOM', `the task${reads} used ${used}`, {
    remedy: 'Keep less in memory per partition, read smaller batches, or raise slotMemoryBytesMax.',
    details,
  });
}

export function howItEnded({ code, signal }: Pick<SlotDeath, 'code' | 'signal'>): string {
  return signal === null ? `exit code ${code}` : `signal ${signal}`;
}

function reading(task: SlotTask): string {
  return task.describes === '' ? '' : ` reading ${task.describes}`;
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

/** Topic, partition and offsets of what a task reads: details of each of its errors. */
export function taskDetails(task: Pick<SlotTask, 'task' | 'describes'>): ErrorDetails {
  const reads = task.describes === '' ? {} : { reads: task.describes };
  try {
    const { input } = decodeTask(task.task);
    if (input.kind !== 'range') return reads;
    const { topic, partition, fromOffset, untilOffset } = input.range;
    return { topic, partition, fromOffset, untilOffset, ...reads };
  } catch {
    return reads;
  }
}
