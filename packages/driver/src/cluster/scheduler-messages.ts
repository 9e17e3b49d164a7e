import type { ErrorRecord } from '@millrace/common';
import type { StageKey, TaskDescription, TaskEvent, TaskMetricsRecord, TaskSet } from '../task-backend.ts';

/** One attempt of one task. */
export interface AttemptKey extends StageKey {
  readonly partition: number;
  readonly attempt: number;
}

export function stageIdOf(key: StageKey): string {
  return `${key.application}/${key.epoch}/${key.batchTime}/${key.jobId}/${key.stageId}`;
}

export function attemptIdOf(key: AttemptKey): string {
  return `${stageIdOf(key)}/${key.partition}/${key.attempt}`;
}

/** A result that stays with its executor until it is fetched. */
export interface RemoteResult {
  readonly blockId: string;
  readonly bytes: number;
  /** host:port */
  readonly address: string;
}

export type AttemptOutcome =
  | { readonly kind: 'result'; readonly result: Uint8Array }
  | { readonly kind: 'remote-result'; readonly block: RemoteResult }
  | { readonly kind: 'failure'; readonly error: ErrorRecord };

export interface AttemptEnd {
  readonly executorId: string;
  /** host:port where others fetch what the attempt left; '' when nobody can. */
  readonly blockAddress: string;
  readonly slot: number;
  readonly key: AttemptKey;
  readonly outcome: AttemptOutcome;
  readonly accumulators: Uint8Array;
  readonly metrics: TaskMetricsRecord;
}

/** What happens to the task scheduler. */
export type SchedulerEvent =
  | { readonly kind: 'executor-joined'; readonly executorId: string; readonly host: string }
  /** Slots whose process lives; those that run a task may be among them or not. */
  | { readonly kind: 'slots-ready'; readonly executorId: string; readonly ready: readonly number[] }
  | { readonly kind: 'executor-draining'; readonly executorId: string }
  /** `error`: how its attempts ended. */
  | { readonly kind: 'executor-lost'; readonly executorId: string; readonly error: ErrorRecord }
  | { readonly kind: 'set-submitted'; readonly set: TaskSet }
  | { readonly kind: 'set-cancelled'; readonly key: StageKey }
  /** Everything of the application with a lower epoch. */
  | { readonly kind: 'application-dropped'; readonly application: string; readonly belowEpoch: number }
  | { readonly kind: 'attempt-ended'; readonly end: AttemptEnd }
  | { readonly kind: 'result-fetched'; readonly key: AttemptKey; readonly result: Uint8Array }
  | { readonly kind: 'result-lost'; readonly key: AttemptKey; readonly error: ErrorRecord }
  | { readonly kind: 'time-passed' };

/** What the task scheduler wants done. */
export type SchedulerEffect =
  | {
      readonly kind: 'launch';
      readonly executorId: string;
      readonly slot: number;
      readonly key: AttemptKey;
      readonly set: TaskSet;
      readonly task: TaskDescription;
    }
  | {
      readonly kind: 'kill';
      readonly executorId: string;
      readonly key: AttemptKey;
      readonly reason: string;
      /** Only if it still waits behind another task. */
      readonly onlyWaiting?: true;
    }
  | { readonly kind: 'report'; readonly event: TaskEvent }
  | { readonly kind: 'fetch-result'; readonly key: AttemptKey; readonly block: RemoteResult }
  | { readonly kind: 'drop-block'; readonly executorId: string; readonly blockId: string }
  | { readonly kind: 'host-without-executor'; readonly application: string; readonly host: string };
