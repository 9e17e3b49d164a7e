import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import { HANDLE } from '@millrace/closures';
import { MillraceError } from '@millrace/common';
import { checkPlainData } from './plain-data.ts';

/** A value that lambdas read without carrying it: fetched once per executor, shared by its slots. */
export interface Broadcast<T> {
  /** To be read only: the tasks of a slot share it, so what one changes the next ones and its own retry would see. */
  readonly value: T;
  /** Content hash. */
  readonly id: string;
  /** Forgets it everywhere. A lambda that still uses it fails with BLOCK_MISSING. */
  destroy(): void;
}

/** Where broadcasts go. */
export interface BroadcastStore {
  put(hash: string, content: Uint8Array): void;
  drop(hash: string): void;
}

/**
 * @throws MillraceError CLOSURE_CAPTURE when the value is not plain data (functions, class instances, sockets …).
 */
export function createBroadcast<T>(value: T, store: BroadcastStore): Broadcast<T> {
  const problem = checkPlainData(value);
  if (problem !== undefined) {
    throw new MillraceError('CLOSURE_CAPTURE', `a broadcast value must be plain data: ${problem}`, {
      remedy: 'Broadcast objects, arrays, Maps, Sets, Dates, bytes and primitives.',
    });
  }
  const content = serialize(value);
  const id = createHash('sha256').update(content).digest('hex');
  store.put(id, content);
  let destroyed = false;
  return {
    id,
    get value() {
      if (destroyed) throw new MillraceError('BAD_REQUEST', `broadcast ${id.slice(0, 12)} was destroyed`);
      return value;
    },
    destroy() {
      if (destroyed) return;
      destroyed = true;
      store.drop(id);
    },
    [HANDLE]: { kind: 'broadcast', id },
  } as Broadcast<T>;
}
