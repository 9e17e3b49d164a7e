import { MillraceError } from '@millrace/common';

/** The rows of a partition. They can be read once: a second loop over them throws. */
export interface Rows<T> extends AsyncIterable<T> {
  /** The same rows in arrays: many times faster than one by one. */
  chunks(): AsyncIterable<readonly T[]>;
  /** All of them. Mind the memory of a slot. */
  toArray(): Promise<T[]>;
}

/** What a partition function may return. */
export type RowsResult<U> = Iterable<U> | AsyncIterable<U> | Promise<Iterable<U> | AsyncIterable<U>>;

/** Rows over arrays of rows. */
export function rowsOf<T>(source: AsyncIterable<readonly T[]>): Rows<T> {
  let begun = false;
  const once = (): AsyncIterable<readonly T[]> => {
    if (begun) throw readTwice();
    begun = true;
    return source;
  };
  return {
    chunks: once,
    async toArray() {
      const all: T[] = [];
      for await (const chunk of once()) for (const row of chunk) all.push(row);
      return all;
    },
    [Symbol.asyncIterator]: () => eachRow(once()),
  };
}

async function* eachRow<T>(chunks: AsyncIterable<readonly T[]>): AsyncGenerator<T, void, undefined> {
  for await (const chunk of chunks) yield* chunk;
}

/** A second loop would find nothing, and nobody would know. */
function readTwice(): MillraceError {
  return new MillraceError('USER_CODE', 'the rows of a partition were read a second time', {
    remedy:
      'They can be read once: keep them (const all = await rows.toArray()), or go on with one iterator (rows[Symbol.asyncIterator]()).',
    retryable: false,
  });
}

const CHUNK_ROWS = 1024;

/** Arrays of at most 1,024 rows from anything that a partition function may return. */
export async function* chunksOf<U>(result: RowsResult<U>): AsyncIterable<U[]> {
  const rows = await result;
  if (Array.isArray(rows)) {
    if (rows.length > 0) yield rows as U[];
    return;
  }
  let chunk: U[] = [];
  if (typeof (rows as Partial<AsyncIterable<U>>)?.[Symbol.asyncIterator] === 'function') {
    for await (const row of rows) {
      chunk.push(row);
      if (chunk.length >= CHUNK_ROWS) {
        yield chunk;
        chunk = [];
      }
    }
  } else if (typeof (rows as Partial<Iterable<U>>)?.[Symbol.iterator] === 'function') {
    for (const row of rows as Iterable<U>) {
      chunk.push(row);
      if (chunk.length >= CHUNK_ROWS) {
        yield chunk;
        chunk = [];
      }
    }
  } else {
    throw new TypeError(`a partition function must return an iterable of rows, got ${typeof rows}`);
  }
  if (chunk.length > 0) yield chunk;
}
