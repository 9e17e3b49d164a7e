import { MillraceError } from './millrace-error.ts';

/**
 * `work`, or, as soon as the signal is aborted, CANCELLED saying `what`, without it the signal's reason: nobody who leaves waits for what is away.
 * The work itself is not stopped.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, what?: string): Promise<T> {
  const left = Promise.withResolvers<never>();
  const leave = (): void =>
    left.reject(what === undefined ? signal.reason : new MillraceError('CANCELLED', what));
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await Promise.race([work, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
