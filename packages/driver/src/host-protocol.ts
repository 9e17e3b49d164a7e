import type { ErrorRecord } from '@millrace/common';
import type { LoggedSums } from './application/log/logged-sums.ts';
import type { ApplicationEvent } from './application-events.ts';
import type { OffsetChange, OffsetReport } from './offset-report.ts';
import type { BatchKey, ExpectedRange, KeptKey, StageKey, TaskEvent, TaskSet } from './task-backend.ts';

/** The program that a host evaluates, and how. */
export interface HostProgramMessage {
  readonly application: string | undefined;
  readonly programHash: string;
  /** Directory with the unpacked bundle. */
  readonly programDir: string;
  /** Directory for the application logs; the host takes the epoch there. `{name}` is not in it: the host appends the job's name. */
  readonly applicationsDir: string;
  /** Where the logs are kept instead; default: 'directory'. See openCheckpointStore. */
  readonly checkpointStore?: string;
  /** Overrides of the job's configuration (--conf). */
  readonly config: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Messages between the driver process and an application host, over Node's IPC channel (`serialization: 'advanced'`).
 * A spare host is started ahead and waits for 'start'.
 */
export type DriverToHost =
  | (HostProgramMessage & {
      readonly kind: 'start';
      readonly slots: number;
      /** The application is to begin anew: what its log says does not count. */
      readonly anew?: boolean;
      /** It ends when the batch that the log holds without its commit is done. */
      readonly onlyPending?: boolean;
    })
  /** Instead of 'start', of an application that is over: the host answers with 'offsets' or 'refused', and ends. */
  | (HostProgramMessage & {
      readonly kind: 'edit-offsets';
      readonly change: OffsetChange | undefined;
      readonly execute: boolean;
      /** As of 'name-granted'. */
      readonly knownEpoch: number;
    })
  | { readonly kind: 'task-events'; readonly events: readonly TaskEvent[] }
  | { readonly kind: 'blob-stored'; readonly hash: string; readonly error?: ErrorRecord }
  | { readonly kind: 'slots'; readonly slots: number }
  | { readonly kind: 'ping'; readonly sequence: number }
  /** drain: finish the running batch, commit, flush, then exit 0. now: cancel it, then exit 0. */
  | { readonly kind: 'stop'; readonly mode: 'drain' | 'now' }
  /** The driver knows of the name and grants it (no other application has it): the host may go on to plan batches. */
  | {
      readonly kind: 'name-granted';
      /** The highest epoch of that name that is known to have run, or, of one that is to begin anew, that is not to count. */
      readonly knownEpoch: number;
    };

export type HostToDriver =
  | { readonly kind: 'ready' }
  /** The module was evaluated and every check passed; waits for 'name-granted'. */
  | {
      readonly kind: 'validated';
      readonly application: string;
      readonly batchIntervalMs: number;
      readonly notes: readonly string[];
    }
  /** The job cannot run: nothing was planned. The host exits. */
  | { readonly kind: 'refused'; readonly error: ErrorRecord }
  | { readonly kind: 'offsets'; readonly report: OffsetReport }
  /** The epoch was taken. Task sets follow. */
  | {
      readonly kind: 'started';
      readonly application: string;
      readonly epoch: number;
      /** Of what the log had committed by then: hosts before it may have died before they told. */
      readonly sums: LoggedSums;
    }
  /** Comes before the task sets that read these ranges. */
  | { readonly kind: 'prefetch'; readonly expected: readonly ExpectedRange[] }
  | { readonly kind: 'submit'; readonly set: TaskSet }
  | { readonly kind: 'cancel'; readonly key: StageKey }
  | { readonly kind: 'put-blob'; readonly hash: string; readonly content: Uint8Array }
  | { readonly kind: 'drop-blobs'; readonly hashes: readonly string[] }
  | { readonly kind: 'drop-shuffle'; readonly what: BatchKey | KeptKey }
  | { readonly kind: 'event'; readonly event: ApplicationEvent }
  | { readonly kind: 'pong'; readonly sequence: number };
