import { types } from 'node:util';
import { MillraceError } from '@millrace/common';
import { stamp } from './closure-tag.ts';

export interface PerExecutorOptions<T> {
  /** Called when the program ends in this process; default: the value's own Symbol.asyncDispose or Symbol.dispose. */
  readonly dispose?: (value: Awaited<T>) => void | Promise<void>;
}

/**
 * One value per executor process, made by `factory` at its first use there; for pools, clients, caches.
 * `factory` is captured like any lambda, and a changed capture makes another instance. It may be async: then every
 * call gives the same promise. A factory that throws or rejects is tried again by the next call.
 * @throws MillraceError JOB_INVALID when `factory` is no function.
 */
export function perExecutor<T>(factory: () => T, options: PerExecutorOptions<T> = {}): () => T {
  if (typeof factory !== 'function') {
    throw new MillraceError(
      'JOB_INVALID',
      `perExecutor() needs a function, got ${factory === null ? 'null' : typeof factory}`,
      { remedy: 'Give it the function that makes the value: perExecutor(() => …).' },
    );
  }
  const get = memoizeUntilFailure(factory);
  stamp(get, { kind: 'per-executor', factory, dispose: options.dispose });
  return get;
}

export function memoizeUntilFailure<T>(factory: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    if (made === undefined) {
      const entry = { value: factory() };
      made = entry;
      if (types.isPromise(entry.value)) {
        entry.value.catch(() => {
          if (made === entry) made = undefined;
        });
      }
    }
    return made.value;
  };
}
