import type { ErrorRecord } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { TaskKey } from '@millrace/proto';
import type { ShuffleBlockMessage, StateSectionRef } from '@millrace/proto/task';
import type { BlockSource } from '../shuffle/shuffle-reader.ts';
import type { MapOutputName } from '../shuffle/shuffle-store.ts';
import type { SectionsAhead } from '../state/state-load.ts';
import type { SlotMetrics } from './slot.ts';

/** Supervisor → slot, over Node's IPC channel (`serialization: 'advanced'`). */
export type ToSlot =
  | {
      readonly kind: 'run';
      /** Numbers the runs of one slot process. */
      readonly id: number;
      readonly key: TaskKey;
      readonly programHash: string;
      readonly programDir: string;
      /** Absent: as in the message before. */
      readonly stage?: Uint8Array;
      readonly task: Uint8Array;
    }
  /** Tasks that read these ranges are expected. */
  | { readonly kind: 'prefetch'; readonly ranges: readonly OffsetRange[] }
  | { readonly kind: 'abort'; readonly id: number; readonly reason: string }
  | { readonly kind: 'blob'; readonly hash: string; readonly content: Uint8Array }
  /** A broadcast was destroyed. */
  | { readonly kind: 'drop-blobs'; readonly hashes: readonly string[] }
  | { readonly kind: 'drop-application'; readonly application: string; readonly belowEpoch: number }
  /** Where the blocks are that it needs. */
  | { readonly kind: 'blocks'; readonly id: number; readonly sources: readonly BlockSource[] }
  | { readonly kind: 'blocks-failed'; readonly id: number; readonly error: ErrorRecord }
  /** Where the section of state is that it needs; until its task ends. */
  | { readonly kind: 'state'; readonly id: number; readonly path: string; readonly offset: number }
  | { readonly kind: 'state-failed'; readonly id: number; readonly error: ErrorRecord }
  /** Dispose what tasks left, and end. */
  | { readonly kind: 'close' }
  | { readonly kind: 'blob-failed'; readonly hash: string; readonly error: ErrorRecord };

/** Slot → supervisor. */
export type FromSlot =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'succeeded';
      readonly id: number;
      readonly result: Uint8Array;
      readonly accumulators: Uint8Array;
      readonly metrics: SlotMetrics;
      readonly written?: MapOutputName;
      readonly cachedConsumers: number;
    }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly error: ErrorRecord;
      readonly metrics: SlotMetrics;
      readonly cachedConsumers: number;
    }
  /** Something was thrown outside of the task's own flow. */
  | { readonly kind: 'crashed'; readonly error: ErrorRecord }
  | { readonly kind: 'need-blob'; readonly hash: string }
  /** The running task reads these blocks of shuffles. `id` numbers the requests. */
  | { readonly kind: 'need-blocks'; readonly id: number; readonly blocks: readonly ShuffleBlockMessage[] }
  /** The running task stands on this section of state. `id` numbers the requests. */
  | {
      readonly kind: 'need-state';
      readonly id: number;
      readonly application: string;
      readonly section: StateSectionRef;
      readonly ahead?: SectionsAhead | undefined;
    };
