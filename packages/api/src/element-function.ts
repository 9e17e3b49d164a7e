import { types } from 'node:util';
import { MillraceError } from '@millrace/common';
import { placeOf } from './place.ts';

/**
 * Element functions (map, filter, reduce …) are synchronous. An `async` one is refused here, before anything runs; a function that
 * merely returns a Promise is refused by the loop that calls it.
 * @throws MillraceError ELEMENT_PROMISE; JOB_INVALID when it is no function.
 */
export function checkElementFunction(operation: string, f: unknown): void {
  if (typeof f !== 'function') {
    throw new MillraceError(
      'JOB_INVALID',
      `${operation}() needs a function, got ${f === null ? 'null' : typeof f}`,
    );
  }
  if (types.isAsyncFunction(f)) throw elementPromise(operation, placeOf(f));
}

export function elementPromise(operation: string, place: string): MillraceError {
  return new MillraceError(
    'ELEMENT_PROMISE',
    `the function of ${operation}() at ${place} returned a Promise`,
    {
      remedy: 'Make it synchronous, or use mapAsync, mapPartitions or foreachPartition.',
      details: { operation, place },
      retryable: false,
    },
  );
}
