import { functionPlace } from '@millrace/closures';
import { MillraceError, placed } from '@millrace/common';

/** "job.ts:12:8" of a lambda that the transform saw, else of the caller outside of this package, else ''. */
export function placeOf(fn?: unknown): string {
  const place = fn === undefined ? undefined : functionPlace(fn);
  return place ? `${place.file}:${place.line}:${place.column}` : callerPlace();
}

/** Where user code called into the API. */
export function callerPlace(): string {
  return calledFrom ?? stackPlace(new Error('place').stack ?? '');
}

let calledFrom: string | undefined;

/**
 * Runs `make` as if user code called it at `place`: an operation that stands for others, or that is made again for each batch, when no user
 * code is on the stack. What `make` does later, asynchronously, is not covered.
 */
export function calledAt<R>(place: string, make: () => R): R {
  const before = calledFrom;
  calledFrom = place;
  try {
    return make();
  } finally {
    calledFrom = before;
  }
}

/** Coded errors of `run` that have no place get this one. */
export function failingAt<R>(place: string, run: () => R): R {
  try {
    return run();
  } catch (error) {
    throw MillraceError.is(error) ? placed(error, place) : error;
  }
}

const ENGINE_FRAME =
  /node:|[\\/](?:packages|@millrace)[\\/](?:common|proto|kafka|closures|api|driver|executor|local|cli)[\\/](?:src|dist)[\\/]/;

/** The first place in `stack` that is neither Node's nor the engine's; '' when there is none. */
export function stackPlace(stack: string): string {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const frame = frames.find((line) => !ENGINE_FRAME.test(line));
  return /\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/.exec(frame ?? '')?.[1] ?? '';
}
