import type { OffsetRange } from '@millrace/kafka';

/** Version of the records' shape. Raised when an old reader would misread one; new optional fields do not raise it. */
export const LOG_VERSION = 1;

/** Where an input stands: the first offset that no committed batch has read. */
export interface LoggedPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly topicId: string | undefined;
  readonly leaderEpoch: number;
}

export interface LoggedInput {
  readonly inputId: number;
  readonly ranges: readonly OffsetRange[];
}

/** What a batch will read: durable before any of its tasks is submitted. */
export interface PlannedBatch {
  readonly batchTime: number;
  /** The epoch that planned it; a later one may run it again. */
  readonly epoch: number;
  readonly programHash: string;
  /** Covers the program and the ranges. */
  readonly planHash: string;
  readonly intervals: number;
  readonly inputs: readonly LoggedInput[];
}

export interface BatchMetrics {
  readonly records: number;
  readonly tasks: number;
  readonly processingMs: number;
}

/** Where an old segment ends for its successors: what lies behind was written by a fenced epoch and never counted. */
export interface FencePoint {
  readonly epoch: number;
  readonly segment: number;
  readonly bytes: number;
}

export type LogRecord =
  /** Opens a segment: all that is known, so that older segments are not needed to go on. */
  | {
      readonly kind: 'anchor';
      readonly epoch: number;
      readonly fence: FencePoint | undefined;
      readonly lastCommitted: number | undefined;
      readonly positions: ReadonlyArray<{ readonly inputId: number; readonly at: readonly LoggedPosition[] }>;
      readonly pending: PlannedBatch | undefined;
    }
  | ({ readonly kind: 'planned' } & PlannedBatch)
  | {
      readonly kind: 'committed';
      readonly batchTime: number;
      readonly epoch: number;
      readonly metrics: BatchMetrics;
    };
