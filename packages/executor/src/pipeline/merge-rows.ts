import { assertNever, MillraceError } from '@millrace/common';
import type { MergeSourceMessage } from '@millrace/proto/task';
import { combineRows } from '../shuffle/combiner.ts';
import type { Row } from '../shuffle/row-block.ts';
import { combinerBounds } from './combining.ts';
import { HeldRows } from './held-rows.ts';
import { IN_MEMORY, type TaskStorage } from './task-storage.ts';

type Chunks = AsyncIterable<readonly unknown[]>;

const CHUNK_ROWS = 1024;

/**
 * The rows of several chains as those of one.
 * @throws MillraceError USER_CODE: keys that cannot be keys, or rows that cannot go to disk; a zip of partitions that differ in rows.
 * SHUFFLE_DISK.
 */
export function mergeRows(
  { how, place }: Pick<MergeSourceMessage, 'how' | 'place'>,
  parents: readonly Chunks[],
  signal: AbortSignal,
  storage: TaskStorage = IN_MEMORY,
): AsyncIterable<unknown[]> {
  switch (how) {
    case 'cogroup':
      return cogrouped(parents, place, signal, storage);
    case 'zip':
      return zipped(parents, place);
    case 'cartesian':
      return multiplied(parents, place, signal, storage);
    case 'concat':
      return concatenated(parents);
    default:
      return assertNever(how, 'merge');
  }
}

/** [key, [values of parent 0, values of parent 1, …]], keys in order of first appearance; on disk what does not fit in memory. */
function cogrouped(
  parents: readonly Chunks[],
  place: string,
  signal: AbortSignal,
  storage: TaskStorage,
): AsyncIterable<unknown[]> {
  const add = (groups: unknown, row: unknown): unknown => {
    const [parent, value] = row as Tagged;
    (groups as unknown[][])[parent]?.push(value);
    return groups;
  };
  const create = (row: unknown): unknown =>
    add(
      parents.map(() => []),
      row,
    );
  return combineRows(tagged(parents, signal), {
    create,
    merge: add,
    ...combinerBounds(storage),
    place,
  }) as AsyncIterable<unknown[]>;
}

type Tagged = readonly [parent: number, value: unknown];

/** [key, [parent, value]], one parent after the other. */
async function* tagged(
  parents: readonly Chunks[],
  signal: AbortSignal,
): AsyncGenerator<Row[], void, undefined> {
  for (const [parent, chunks] of parents.entries()) {
    for await (const chunk of chunks as AsyncIterable<readonly Row[]>) {
      signal.throwIfAborted();
      yield chunk.map(([key, value]): Row => [key, [parent, value]]);
    }
  }
}

/** One after the other. */
async function* concatenated(parents: readonly Chunks[]): AsyncGenerator<unknown[], void, undefined> {
  for (const chunks of parents) for await (const chunk of chunks) yield [...chunk];
}

/** Row i of each parent. */
async function* zipped(
  parents: readonly Chunks[],
  place: string,
): AsyncGenerator<unknown[], void, undefined> {
  const cursors = parents.map((parent) => new ChunkCursor(parent));
  let rows = 0;
  try {
    for (;;) {
      const rest = await Promise.all(cursors.map((cursor) => cursor.fill()));
      const count = Math.min(...rest);
      if (count === 0) {
        if (rest.some((left) => left > 0)) throw unequal(rows, place);
        return;
      }
      const columns = cursors.map((cursor) => cursor.take(count));
      yield Array.from({ length: count }, (_, row) => columns.map((column) => column[row]));
      rows += count;
    }
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()));
  }
}

/** Where a reader of chunks stands. */
class ChunkCursor {
  readonly #chunks: AsyncIterator<readonly unknown[]>;
  #rows: readonly unknown[] = [];
  #at = 0;

  constructor(chunks: Chunks) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Rows that can be taken; 0: there are no more. */
  async fill(): Promise<number> {
    while (this.#at === this.#rows.length) {
      const { done, value } = await this.#chunks.next();
      if (done === true) return 0;
      this.#rows = value;
      this.#at = 0;
    }
    return this.#rows.length - this.#at;
  }

  take(count: number): readonly unknown[] {
    this.#at += count;
    return this.#rows.slice(this.#at - count, this.#at);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}

function unequal(rows: number, place: string): MillraceError {
  return new MillraceError('USER_CODE', `zip: one partition has ${rows} rows, the other one has more`, {
    remedy: 'Zip datasets with the same partitions and as many rows in each: one made of the other by map.',
    retryable: false,
    details: { place },
  });
}

/** Each row of the first with each of the second, which is held: on disk when it does not fit in memory. */
async function* multiplied(
  [left, right]: readonly Chunks[],
  place: string,
  signal: AbortSignal,
  storage: TaskStorage,
): AsyncGenerator<unknown[], void, undefined> {
  if (left === undefined || right === undefined) return;
  const held = new HeldRows(storage, place);
  try {
    await held.fill(right);
    let made: unknown[] = [];
    for await (const chunk of left) {
      for (const a of chunk) {
        for await (const rows of held.chunks()) {
          for (const b of rows) {
            made.push([a, b]);
            if (made.length < CHUNK_ROWS) continue;
            signal.throwIfAborted();
            yield made;
            made = [];
          }
        }
      }
    }
    if (made.length > 0) yield made;
  } finally {
    await held.close();
  }
}
