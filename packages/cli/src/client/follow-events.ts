import { type Clock, type ErrorRecord, MillraceError, unlessAborted } from '@millrace/common';
import { shortDuration } from '../render/quantity.ts';
import { type ApplicationEvent, type ApplicationState, isFinalState } from './application-event.ts';

const LEFT = 'the application is no longer followed';
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 2_000;
// A stream that lived this long was a working one: its end begins a new absence.
const SETTLED_MS = 5_000;

export interface FollowOptions {
  readonly application: string;
  /** Events up to this one were seen. */
  readonly afterSequence: number;
  /** Resolves when there is a connection. @throws DRIVER_UNREACHABLE after `ms`. */
  readonly reach: (ms: number) => Promise<void>;
  /** Opens the stream; called anew after each loss. */
  readonly open: (afterSequence: number, signal: AbortSignal) => AsyncIterable<ApplicationEvent>;
  /** Where it stands: asked when the stream ended without a final state. */
  readonly state: () => Promise<{
    readonly state: ApplicationState;
    readonly error: ErrorRecord | undefined;
  }>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** How long the driver may be away at a time. */
  readonly reconnectMs: number;
  readonly onLost?: (error: MillraceError) => void;
  readonly onResumed?: () => void;
}

/**
 * The events of an application up to its final state, each once, over any number of driver restarts.
 * Ends early only when `signal` is aborted.
 * @throws MillraceError DRIVER_UNREACHABLE when the driver stays away for `reconnectMs`; what else the driver refuses.
 */
export async function* followEvents(options: FollowOptions): AsyncGenerator<ApplicationEvent> {
  const { clock, signal } = options;
  let last = options.afterSequence;
  let lostAt: number | undefined;
  let backoffMs = BACKOFF_MS_MIN;
  while (!signal.aborted) {
    let openedAt: number | undefined;
    let failure: MillraceError;
    try {
      await unlessAborted(options.reach(remainingMs(options, lostAt)), signal, LEFT);
      openedAt = clock.monotonic();
      for await (const event of options.open(last, signal)) {
        if (lostAt !== undefined) options.onResumed?.();
        lostAt = undefined;
        if (event.sequence <= last) continue;
        last = event.sequence;
        yield event;
        if (event.kind === 'state' && isFinalState(event.state)) return;
      }
      // A driver that shuts down in good order ends the stream without an error; so does one that was restarted
      // after the application was over: it no longer has the final event.
      const { state, error } = await unlessAborted(options.state(), signal, LEFT);
      if (isFinalState(state)) {
        const { application } = options;
        yield { kind: 'state', sequence: last + 1, at: clock.now(), application, state, error };
        return;
      }
      failure = new MillraceError('DRIVER_UNREACHABLE', 'the driver ended the event stream');
    } catch (error) {
      failure = MillraceError.from(error, 'INTERNAL');
      if (!isLoss(failure)) throw failure;
    }
    if (signal.aborted) return;
    const now = clock.monotonic();
    if (openedAt !== undefined && now - openedAt >= SETTLED_MS) lostAt = undefined;
    if (lostAt === undefined) {
      lostAt = now;
      backoffMs = BACKOFF_MS_MIN;
      options.onLost?.(failure);
    }
    if (remainingMs(options, lostAt) <= backoffMs) throw gaveUp(options, failure);
    await clock.sleep(backoffMs, signal).catch(() => undefined);
    backoffMs = Math.min(BACKOFF_MS_MAX, backoffMs * 2);
  }
}

function remainingMs(options: FollowOptions, lostAt: number | undefined): number {
  const gone = lostAt === undefined ? 0 : options.clock.monotonic() - lostAt;
  return Math.max(0, options.reconnectMs - gone);
}

function isLoss(error: MillraceError): boolean {
  return (
    error.code === 'DRIVER_UNREACHABLE' || error.code === 'DEADLINE_EXCEEDED' || error.code === 'CANCELLED'
  );
}

function gaveUp(options: FollowOptions, cause: MillraceError): MillraceError {
  return new MillraceError(
    'DRIVER_UNREACHABLE',
    `the driver stayed away for ${shortDuration(options.reconnectMs)}`,
    {
      cause,
      remedy: `The application goes on by itself when the driver returns: see \`millrace status ${options.application}\`.`,
      details: { application: options.application },
    },
  );
}
