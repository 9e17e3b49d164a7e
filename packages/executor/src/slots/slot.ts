import type { ErrorRecord } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { TaskKey } from '@millrace/proto';
import type { MapOutputName } from '../shuffle/shuffle-store.ts';

/** One attempt as a slot gets it. */
export interface SlotTask {
  readonly key: TaskKey;
  readonly programHash: string;
  /** Directory with the unpacked program. */
  readonly programDir: string;
  /** Encoded Stage. */
  readonly stage: Uint8Array;
  /** Encoded Task. */
  readonly task: Uint8Array;
  /** The slot dies when the task takes longer. */
  readonly timeoutMs: number;
  /** What it reads: "views-3 [100, 200)". */
  readonly describes: string;
}

/** What was measured inside the slot. */
export interface SlotMetrics {
  readonly records: number;
  readonly bytes: number;
  readonly runMs: number;
  readonly fetchMs: number;
  readonly consumerCached: boolean;
}

export const NO_METRICS: SlotMetrics = { records: 0, bytes: 0, runMs: 0, fetchMs: 0, consumerCached: false };

export type SlotOutcome =
  | {
      readonly kind: 'succeeded';
      readonly result: Uint8Array;
      /** Encoded accumulator updates; empty when there are none. */
      readonly accumulators: Uint8Array;
      readonly metrics: SlotMetrics;
      /** The file that a map task left. */
      readonly written?: MapOutputName;
    }
  | { readonly kind: 'failed'; readonly error: ErrorRecord; readonly metrics: SlotMetrics };

export interface SlotHealth {
  readonly pid: number;
  readonly rssBytes: number;
  readonly busy: boolean;
  readonly cachedConsumers: number;
}

/** How a slot's process came to its end. */
export interface SlotEnd {
  readonly code: number | null;
  readonly signal: string | null;
  /** It lived long enough, or ran a task: dying again at once is not to be expected. */
  readonly wasUseful: boolean;
}

/**
 * Where user code runs: messages and bytes go in and out, no memory is shared. It runs one task at a time, in the order given; those
 * that wait are made ready meanwhile (their records are fetched). It has one life: who needs it again makes another one.
 */
export interface Slot {
  /** Resolves when it can take a task. @throws MillraceError SLOT_LOST, DEADLINE_EXCEEDED. */
  start(): Promise<void>;
  /** Never rejects: a slot that dies is a failed outcome. undefined: it ended before it came to this task, another one may run it. */
  run(task: SlotTask): Promise<SlotOutcome | undefined>;
  /** The tasks that `isMeant` picks end as TASK_KILLED: one that waits at once; the running one is asked to stop, then the slot is killed. */
  kill(isMeant: (task: SlotTask) => boolean, reason: string, onlyWaiting?: boolean): void;
  /** Tasks that read these ranges are expected: where their consumers are cached, the records may be fetched. */
  prefetch(ranges: readonly OffsetRange[]): void;
  health(): SlotHealth;
  /** Its process has ended (and `ended` is about to resolve). */
  readonly isGone: boolean;
  /** Resolves once, when it is gone. */
  readonly ended: Promise<SlotEnd>;
  /** Its broadcasts of these hashes are destroyed. */
  dropBlobs(hashes: readonly string[]): void;
  /** Older epochs of an application are over: what their tasks left (`perExecutor` values) is disposed. */
  dropApplication(application: string, belowEpoch: number): void;
  /** Lets it dispose what tasks left, for at most `graceMs` (default 0); then kills it. Idempotent. */
  close(graceMs?: number): Promise<void>;
}
