import type { ErrorCode, ErrorRecord } from '@millrace/common';
import { isKafkaAway } from '../kafka-away.ts';

/**
 * What a failed attempt means for its task. counted: it uses up one attempt. lost: another attempt is made and nothing is counted,
 * as for a lost executor or a cancellation. not-run: the same, and nobody need know: it was refused, or called back before it began.
 * kafka-away: nothing is counted, until the task has waited for Kafka as long as its job says. final: no other attempt can end
 * differently. fetch-failed: its input is gone, so its set ends, and nothing is counted: whoever submitted it has the input made again.
 */
export type FailureClass = 'counted' | 'lost' | 'not-run' | 'kafka-away' | 'final' | 'fetch-failed';

const LOST: ReadonlySet<ErrorCode> = new Set(['EXECUTOR_LOST', 'CANCELLED']);
// Of attempts that run, the scheduler has those killed only that it has given up itself: it does not ask what became of them.
const NOT_RUN: ReadonlySet<ErrorCode> = new Set(['TASK_KILLED', 'TASK_REFUSED']);
// Their codes say that the job must change, but memory and time also depend on where and beside what an attempt runs.
const COUNTED: ReadonlySet<ErrorCode> = new Set(['USER_CODE', 'SLOT_LOST', 'TASK_OOM', 'TASK_TIMEOUT']);

export function failureClass(error: Pick<ErrorRecord, 'code' | 'retryable'>): FailureClass {
  if (error.code === 'FETCH_FAILED') return 'fetch-failed';
  if (LOST.has(error.code)) return 'lost';
  if (NOT_RUN.has(error.code)) return 'not-run';
  if (error.retryable && isKafkaAway(error)) return 'kafka-away';
  return error.retryable || COUNTED.has(error.code) ? 'counted' : 'final';
}
