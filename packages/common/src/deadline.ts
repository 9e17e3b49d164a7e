import { type Clock, systemClock } from './clock.ts';
import { MillraceError } from './millrace-error.ts';

/**
 * `promise`, or a rejection after `ms`. The work itself is not stopped: pass a signal to it when it can be.
 * @throws MillraceError DEADLINE_EXCEEDED naming `what`, or what `onTimeout` makes.
 */
export async function withDeadline<T>(
  promise: Promise<T>,
  ms: number,
  what: string | (() => Error),
  clock: Clock = systemClock,
): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const timer = clock.schedule(ms, () =>
    reject(
      typeof what === 'function'
        ? what()
        : new MillraceError('DEADLINE_EXCEEDED', `${what} did not finish within ${ms} ms`),
    ),
  );
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    timer.cancel();
  }
}
