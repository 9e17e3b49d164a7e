import { type Duration, durationMs, MillraceError } from '@millrace/common';

/** `slideMs`: of the stream that the window is of. `name`: the operator, for messages. @throws MillraceError JOB_INVALID, CONFIG_INVALID. */
export function windowMs(name: string, what: string, duration: Duration, slideMs: number): number {
  const ms = durationMs(duration);
  if (ms > 0 && ms % slideMs === 0 && Number.isSafeInteger(ms)) return ms;
  throw new MillraceError(
    'JOB_INVALID',
    `${name}: ${what} of ${ms} ms is not a multiple of ${slideMs} ms, how often the stream has an RDD`,
    { remedy: `Give a multiple of it: ${Math.max(1, Math.ceil(ms / slideMs)) * slideMs} ms, say.` },
  );
}
