import { types } from 'node:util';
import { stamp } from './closure-tag.ts';

export interface PerExecutorOptions<T> {
  /** Called when the program ends in this process; default: the value's own Symbol.asyncDispose or Symbol.dispose. */
  readonly dispose?: (value: Awaited<T>) => void | Promise<void>;
}

/**
 * One value per executor process, made by `factory` at its first use there; for pools, clients, caches.
 * `factory` is captured like any lambda, and a changed capture makes another instance. It may be async: then every
 * call gives the same promise. A factory that throws or rejects is tried again by the next call.
 */
export function perExecutor<T>(factory: () => T, options: PerExecutorOptions<T> = {}): () => T {
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
