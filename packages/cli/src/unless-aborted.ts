import { MillraceError } from '@millrace/common';

/**
 * `work`, or CANCELLED saying `what` as soon as the signal is aborted: nobody who leaves waits for what is away.
 * The work itself is not stopped.
 */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal, what: string): Promise<T> {
  const left = Promise.withResolvers<never>();
  const leave = (): void => left.reject(new MillraceError('CANCELLED', what));
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    return await Promise.race([work, left.promise]);
  } finally {
    signal.removeEventListener('abort', leave);
  }
}
