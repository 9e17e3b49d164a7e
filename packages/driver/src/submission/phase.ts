import { assertNever, MillraceError, type Timer } from '@millrace/common';
import type { HostSession } from '../host-process/host-session.ts';

/** What of an application exists as a process. */
export type Phase =
  | { readonly kind: 'none' }
  /** Crashed; starts again soon. */
  | { readonly kind: 'pausing'; readonly timer: Timer }
  | { readonly kind: 'starting'; readonly abort: AbortController }
  | { readonly kind: 'hosted'; readonly session: HostSession };

export type StopMode = 'drain' | 'now' | 'kill';

/** Ends what there is. True: at once; false: its end is an event still to come, if there is anything. */
export function endPhase(phase: Phase, mode: StopMode, why: string): boolean {
  switch (phase.kind) {
    case 'pausing':
      phase.timer.cancel();
      return true;
    case 'starting':
      phase.abort.abort(new MillraceError('CANCELLED', why));
      return true;
    case 'hosted':
      if (mode === 'kill') phase.session.kill();
      else phase.session.stop(mode);
      return false;
    case 'none':
      return false;
    default:
      return assertNever(phase, 'phase');
  }
}

export function stopTooSlow(application: string, timeoutMs: number): MillraceError {
  return new MillraceError(
    'DEADLINE_EXCEEDED',
    `${application} did not stop within ${timeoutMs} ms; it goes on`,
    {
      remedy: 'Wait for it with `millrace status`, or use `millrace stop --now` or `millrace kill`.',
    },
  );
}
