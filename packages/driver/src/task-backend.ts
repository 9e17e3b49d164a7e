import type { ErrorRecord } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';

/** One batch of one application run. */
export interface BatchKey {
  readonly application: string;
  readonly epoch: number;
  /** ms. */
  readonly batchTime: number;
}

/** What outlives its batch: a persisted dataset of one application run. */
export interface KeptKey {
  readonly application: string;
  readonly epoch: number;
  /** Name of its directory: "kept-3". */
  readonly kept: string;
}

/** One stage of it. */
export interface StageKey extends BatchKey {
  readonly jobId: number;
  readonly stageId: number;
}

/**
 * Where a task would like to run. A preference, never a demand.
 * `affinity`: the consumer-cache key; the task returns to the slot that holds it when that slot is free in time.
 */
export type TaskPreference =
  | { readonly kind: 'any' }
  /** Rendezvous hashing of `key` over the executors, with a load cap. */
  | { readonly kind: 'consistent'; readonly key: string; readonly affinity: string }
  /** An executor on this host; when there is none, as `consistent` (PreferFixed warns once). */
  | { readonly kind: 'host'; readonly host: string; readonly key: string; readonly affinity: string }
  /** This executor, which holds what the task reads; anywhere when it is gone. */
  | { readonly kind: 'executor'; readonly executorId: string; readonly affinity: string };

export interface TaskDescription {
  /** Task partition: unique in the set, not necessarily dense. */
  readonly partition: number;
  readonly preference: TaskPreference;
  /** How much it reads, beside the same task of other batches: see spanOf. */
  readonly span: number;
  /** Encoded Task message. */
  readonly task: Uint8Array;
  /** What it reads, for errors: "views-3 [100, 200)". */
  readonly describes: string;
}

/** A range that tasks will read, and the affinity that they will have. */
export interface ExpectedRange {
  readonly affinity: string;
  readonly range: OffsetRange;
}

/** The missing tasks of one stage attempt. */
export interface TaskSet {
  readonly key: StageKey;
  readonly programHash: string;
  /** Encoded Stage message, shared by the tasks. */
  readonly stage: Uint8Array;
  readonly tasks: readonly TaskDescription[];
  /** Attempts a task may fail (lost executors, cancellations and a Kafka that is away do not count). Spark's spark.task.maxFailures. */
  readonly attemptsMax: number;
  readonly taskTimeoutMs: number;
  /** For so long, from the first one on, attempts of a task that cannot reach Kafka do not count; then one ends the set. */
  readonly kafkaTimeoutMs: number;
  /** How long a task waits for its preferred executor before it takes any. */
  readonly localityWaitMs: number;
  /** Attempts are numbered from here (default 0): above those of an earlier set of this stage whose output may still be read. */
  readonly firstAttempt?: number;
}

export interface TaskMetricsRecord {
  readonly records: number;
  readonly bytes: number;
  readonly queueMs: number;
  readonly runMs: number;
  readonly fetchMs: number;
  readonly consumerCached: boolean;
}

export type TaskEvent =
  | {
      readonly kind: 'task-succeeded';
      readonly key: StageKey;
      readonly partition: number;
      readonly attempt: number;
      readonly executorId: string;
      /** host:port where others fetch what a map task left there; '' when nobody can. */
      readonly blockAddress: string;
      readonly result: Uint8Array;
      /** Encoded accumulator updates of this attempt; empty when there are none. */
      readonly accumulators: Uint8Array;
      readonly metrics: TaskMetricsRecord;
    }
  /** One attempt failed and another will be made. */
  | {
      readonly kind: 'attempt-failed';
      readonly key: StageKey;
      readonly partition: number;
      readonly attempt: number;
      readonly executorId: string;
      readonly error: ErrorRecord;
    }
  /**
   * The set failed: a task has used up its attempts, its error is not retryable, or, with FETCH_FAILED, what it reads is gone
   * (details: executorId). The set's other tasks are killed.
   */
  | {
      readonly kind: 'set-failed';
      readonly key: StageKey;
      readonly partition: number;
      readonly error: ErrorRecord;
    };

/** The seam between an application and whoever runs its tasks. The application does not know whether slots are local or remote. */
export interface TaskBackend {
  /** Begins a task set. Events follow through the listener; exactly one 'task-succeeded' a task, or one 'set-failed'. */
  submit(set: TaskSet): void;
  /** Tasks that read these ranges are about to be submitted. Only a hint: executors may fetch, and run nothing. */
  prefetch(expected: readonly ExpectedRange[]): void;
  /** Kills what runs of the stage; no more events of it follow. Idempotent. */
  cancel(key: StageKey): void;
  /** Makes content (snapshots, broadcasts) available to executors until it is dropped. Resolves when it is. */
  putBlob(hash: string, content: Uint8Array): Promise<void>;
  dropBlobs(hashes: readonly string[]): void;
  /** Nobody reads any more what map tasks left of this batch, or of this persisted dataset. */
  dropShuffle(what: BatchKey | KeptKey): void;
  /** Task slots that are ready now, over all executors. */
  readonly slots: number;
  /** One listener. */
  onEvent(listener: (event: TaskEvent) => void): void;
}
