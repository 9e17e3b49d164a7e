import type { ErrorRecord } from '@millrace/common';
import type { ApplicationState } from './application-state.ts';

/** What is known when an application host is gone. */
export interface HostEnd {
  readonly state: ApplicationState;
  /** Its last event, when it said that it ended by itself. */
  readonly ended: { readonly error?: ErrorRecord } | undefined;
  /** What the exit means when it said nothing: lost, or unresponsive. */
  readonly crash: ErrorRecord;
  /** A wait before the next start, or none may be made. */
  readonly restart: number | 'give-up';
}

export type AfterHostEnd =
  /** With an error: what the stop left undone. */
  | { readonly to: 'STOPPED'; readonly error?: ErrorRecord }
  | { readonly to: 'FAILED'; readonly error: ErrorRecord }
  | { readonly to: 'STARTING'; readonly afterMs: number; readonly why: ErrorRecord };

/** What becomes of an application whose host is gone. */
export function afterHostEnd({ state, ended, crash, restart }: HostEnd): AfterHostEnd {
  if (ended?.error) return { to: isUnfinished(ended.error) ? 'STOPPED' : 'FAILED', error: ended.error };
  // Asked to stop, it is stopped, however it ended: the next run re-runs what was not committed.
  if (ended || state === 'STOPPING') return { to: 'STOPPED' };
  if (restart === 'give-up') return { to: 'FAILED', error: crash };
  return { to: 'STARTING', afterMs: restart, why: crash };
}

/** It ended as asked, but for a batch that runs again at the next start. */
export function isUnfinished(error: ErrorRecord): boolean {
  return error.code === 'DRAIN_TIMEOUT';
}

/** What becomes of an application that could not be started again: trouble that may pass is a crash, the rest is final. */
export function afterFailedStart(error: ErrorRecord, restart: number | 'give-up'): AfterHostEnd {
  const mayPass = error.retryable || error.code === 'HOST_UNRESPONSIVE';
  if (!mayPass || restart === 'give-up') return { to: 'FAILED', error };
  return { to: 'STARTING', afterMs: restart, why: error };
}
