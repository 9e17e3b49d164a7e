import type { AccumulatorChange } from '@millrace/api/internal';
import type { JobWarning } from '@millrace/closures';
import type { ErrorRecord } from '@millrace/common';

export interface BatchSummary {
  /** Counts from 1 in this run of the application. */
  readonly number: number;
  readonly batchTime: number;
  /** Records that tasks read. */
  readonly records: number;
  /** Sum of until − from. */
  readonly span: number;
  readonly tasks: number;
  readonly failedAttempts: number;
  /** Latest − until, over all partitions, when the batch was planned. */
  readonly lag: number;
  readonly schedulingMs: number;
  /** From log write to commit log. */
  readonly processingMs: number;
  readonly totalMs: number;
  readonly coalescedIntervals: number;
  readonly batchIntervalMs: number;
  /** Named accumulators that changed, in the order of their making. */
  readonly accumulators: readonly AccumulatorChange[];
}

/** What an application tells whoever watches it. */
export type ApplicationEvent =
  | { readonly kind: 'running'; readonly notes: readonly string[] }
  | { readonly kind: 'batch-completed'; readonly batch: BatchSummary }
  | { readonly kind: 'batch-failed'; readonly batchTime: number; readonly error: ErrorRecord }
  | { readonly kind: 'output'; readonly text: string; readonly error: boolean }
  | {
      readonly kind: 'notice';
      readonly level: 'info' | 'warn';
      readonly text: string;
      /** What `text` says, when it is a warning about the job's code. Not told to remote watchers. */
      readonly warning?: JobWarning;
    }
  /** The last one. Without an error: stopped as asked (by stop, or by reaching `batches`). With DRAIN_TIMEOUT: stopped, its batch unfinished. */
  | { readonly kind: 'ended'; readonly error?: ErrorRecord };
