import { types } from 'node:util';
import { MillraceError } from '@millrace/common';
import { callerPlace, placeOf } from './place.ts';

/**
 * Element functions (map, filter, reduce …) are synchronous. An `async` one is refused here, before anything runs; a function that
 * merely returns a Promise is refused by the loop that calls it.
 * @throws MillraceError ELEMENT_PROMISE; JOB_INVALID when it is no function.
 */
export function checkElementFunction(operation: string, f: unknown): void {
  checkFunction(operation, f);
  if (types.isAsyncFunction(f)) throw elementPromise(operation, placeOf(f));
}

/** @throws MillraceError JOB_INVALID when it is no function. */
export function checkFunction(operation: string, f: unknown): void {
  if (typeof f === 'function') return;
  throw new MillraceError(
    'JOB_INVALID',
    `${operation}() needs a function, got ${f === null ? 'null' : typeof f}`,
    { remedy: 'Give it the function itself: (row) => ….', details: { place: callerPlace() } },
  );
}

/** What merges the results of partitions, on the driver, is an element function, too. @throws MillraceError ELEMENT_PROMISE. */
export function mergeWith<T>(operation: string, f: (a: T, b: T) => T): (a: T, b: T) => T {
  checkElementFunction(operation, f);
  return (a, b) => {
    const merged = f(a, b);
    if (types.isPromise(merged)) {
      merged.catch(() => undefined);
      throw elementPromise(operation, placeOf(f));
    }
    return merged;
  };
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
