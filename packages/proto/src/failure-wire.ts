import { ERROR_CODES, type ErrorCode, type ErrorRecord, MillraceError } from '@millrace/common';
import { recordFromWire, recordToWire } from './error-wire.ts';
import type { ErrorInfo } from './gen/millrace/v1/ErrorInfo.ts';
import type { TaskFailure } from './gen/millrace/v1/TaskFailure.ts';

export type FailureKind = NonNullable<TaskFailure['kind']>;

// Codes that are more than their domain says. The others travel in the arm of their domain.
const KIND_OF: Partial<Record<ErrorCode, FailureKind>> = {
  CANCELLED: 'cancelled',
  TASK_KILLED: 'cancelled',
  TASK_REFUSED: 'cancelled',
  SLOT_LOST: 'slot',
  TASK_OOM: 'slot',
  TASK_TIMEOUT: 'slot',
  BLOCK_MISSING: 'fetch',
  FETCH_FAILED: 'fetch',
};

/** Which arm of the oneof an error travels in. Retry intent and stage resubmission are decided by it, never by a message. */
export function failureKind(code: ErrorCode): FailureKind {
  return KIND_OF[code] ?? ERROR_CODES[code].domain;
}

/**
 * Why an attempt failed, from what was thrown. Details `exitCode` and `signal` of a slot failure, `blockId` and `executorId`
 * of a fetch failure become fields of their own.
 */
export function failureToWire(error: unknown): TaskFailure {
  return failureRecordToWire(MillraceError.toRecord(error));
}

/** The same, of an error that already is data. */
export function failureRecordToWire(record: ErrorRecord): TaskFailure {
  const error = recordToWire(record);
  const text = (key: string): string => String(record.details[key] ?? '');
  const kind = failureKind(record.code);
  if (kind === 'slot')
    return { slot: { error, exitCode: Number(record.details['exitCode'] ?? 0), signal: text('signal') } };
  if (kind === 'fetch') return { fetch: { error, blockId: text('blockId'), executorId: text('executorId') } };
  return { [kind]: { error } };
}

/** The inverse of failureToWire. */
export function failureFromWire(failure: TaskFailure): MillraceError {
  return MillraceError.fromRecord(failureRecordFromWire(failure));
}

export function failureRecordFromWire(failure: TaskFailure): ErrorRecord {
  const arms: ReadonlyArray<{ error?: ErrorInfo | null } | null | undefined> = [
    failure.user,
    failure.external,
    failure.internal,
    failure.slot,
    failure.fetch,
    failure.cancelled,
  ];
  const error = arms.find((arm) => arm?.error)?.error;
  return error
    ? recordFromWire(error)
    : MillraceError.toRecord(
        new MillraceError('INTERNAL', 'a task failed with a kind of failure that this version does not know'),
      );
}
