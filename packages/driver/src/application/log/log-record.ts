import type { OffsetRange } from '@millrace/kafka';
import type { LoggedStates, StateChanges } from '../state/logged-state.ts';
import type { LeftOutCounts, LoggedSums } from './logged-sums.ts';

/** Version of the records' shape. Raised when an old reader would misread one; new optional fields do not raise it. */
export const LOG_VERSION = 4;

/** Where an input stands: the first offset that no committed batch has read. */
export interface LoggedPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly topicId: string | undefined;
  readonly leaderEpoch: number;
}

/** A range as it was planned. */
export interface LoggedRange extends OffsetRange {
  /**
   * Leader epoch that is known where the range ends: the `leaderEpoch` of what goes on there. It is not older than the record before
   * `untilOffset`, or a leader that was elected in good order would look like one that has lost records; and not younger than any leader that
   * may have lost them. Absent: planned by a version of Millrace that did not tell.
   */
  readonly untilEpoch?: number;
}

export interface LoggedInput {
  readonly inputId: number;
  readonly ranges: readonly LoggedRange[];
}

/** What a batch will read: durable before any of its tasks is submitted. */
export interface PlannedBatch {
  readonly batchTime: number;
  /** The epoch that planned it; a later one may run it again. */
  readonly epoch: number;
  readonly programHash: string;
  /** What was submitted with the program (see settingsOf). Absent: planned by a version of Millrace that did not tell. */
  readonly settings?: string;
  /** Covers the program, its settings and the ranges. */
  readonly planHash: string;
  /**
   * Exactly-once outputs (see LoggedOutputs) that may have something of the batch: those of the program that planned it, and of others
   * that have run it since. Absent: all that are logged.
   */
  readonly outputs?: readonly string[];
  readonly intervals: number;
  readonly inputs: readonly LoggedInput[];
}

/** A committed batch that windows still read. */
export interface PastBatch {
  readonly batchTime: number;
  /** The batch time before. */
  readonly previous: number | undefined;
  readonly inputs: readonly LoggedInput[];
}

/** What the log keeps of committed batches, besides where they ended. */
export interface LoggedHistory {
  /** ms: batches of the last so many before the last committed one are kept. 0: none. */
  readonly keepMs: number;
  /** Oldest first. Less than `keepMs` when an earlier program kept less. */
  readonly batches: readonly PastBatch[];
}

/** A position that was set, not read up to: what lies between was skipped, or is read again. */
export interface OffsetMove extends LoggedPosition {
  /** Where the partition stood; undefined: it was not in the log. */
  readonly from: number | undefined;
}

/** A decision about offsets, kept so that no gap between batches is without a reason. */
export interface OffsetMoves {
  /** ms since 1970. */
  readonly at: number;
  /** request: somebody set them. data-loss: the records were gone, and the stream was told to go on. */
  readonly reason: 'request' | 'data-loss';
  /** The planned batch that is given up with it: its time is over, its ranges do not count. */
  readonly abandons: number | undefined;
  readonly inputs: ReadonlyArray<{ readonly inputId: number; readonly moves: readonly OffsetMove[] }>;
}

/** Exactly-once outputs: by what their transactional ids begin with, the most tasks that one of their batches ever had. */
export type LoggedOutputs = ReadonlyMap<string, number>;

/** Counts of what was left out that are absent are 0. */
export interface BatchMetrics extends Partial<LeftOutCounts> {
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
      /** See LogState. */
      readonly id?: string;
      /** See LogState. */
      readonly isAnew?: true;
      readonly fence: FencePoint | undefined;
      readonly lastCommitted: number | undefined;
      /** See LogState; null: none. Absent: the same as lastCommitted. */
      readonly lastDone?: number | null;
      readonly positions: ReadonlyArray<{ readonly inputId: number; readonly at: readonly LoggedPosition[] }>;
      readonly pending: PlannedBatch | undefined;
      /** See LogState. Absent: none. */
      readonly unbegun?: readonly number[];
      /** Absent: nothing is kept, as by versions of Millrace without windows. */
      readonly history?: LoggedHistory;
      /** Absent: there is none. */
      readonly state?: LoggedStates;
      /** Absent: there are none. */
      readonly outputs?: LoggedOutputs;
      /** Absent: no batch was counted, as by versions of Millrace that kept none. */
      readonly sums?: LoggedSums;
    }
  | ({ readonly kind: 'planned' } & PlannedBatch)
  | {
      readonly kind: 'committed';
      readonly batchTime: number;
      readonly epoch: number;
      readonly metrics: BatchMetrics;
      /** What it made of keyed state; absent: nothing. */
      readonly state?: StateChanges;
    }
  | ({ readonly kind: 'moved'; readonly epoch: number } & OffsetMoves)
  /** Durable before the first task beyond the count that was logged before, and before the first one of a batch that was planned without the output. */
  | { readonly kind: 'output'; readonly epoch: number; readonly prefix: string; readonly tasks: number };
