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
  | { readonly to: 'STOPPED' }
  | { readonly to: 'FAILED'; readonly error: ErrorRecord }
  | { readonly to: 'STARTING'; readonly afterMs: number };

/** What becomes of an application whose host is gone. */
export function afterHostEnd({ state, ended, crash, restart }: HostEnd): AfterHostEnd {
  if (ended?.error) return { to: 'FAILED', error: ended.error };
  // Asked to stop, it is stopped, however it ended: the next run re-runs what was not committed.
  if (ended || state === 'STOPPING') return { to: 'STOPPED' };
  if (restart === 'give-up') return { to: 'FAILED', error: crash };
  return { to: 'STARTING', afterMs: restart };
}

/** What becomes of an application that could not be started again: trouble that may pass is a crash, the rest is final. */
export function afterFailedStart(error: ErrorRecord, restart: number | 'give-up'): AfterHostEnd {
  const mayPass = error.retryable || error.code === 'HOST_UNRESPONSIVE';
  if (!mayPass || restart === 'give-up') return { to: 'FAILED', error };
  return { to: 'STARTING', afterMs: restart };
}
