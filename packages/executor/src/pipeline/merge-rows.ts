import { KeyMap } from '@millrace/api/internal';
import { assertNever, MillraceError, placed } from '@millrace/common';
import type { MergeSourceMessage } from '@millrace/proto/task';

type Chunks = AsyncIterable<readonly unknown[]>;

const CHUNK_ROWS = 1024;

/**
 * The rows of several chains as those of one.
 * @throws MillraceError USER_CODE: keys that cannot be keys; a zip of partitions that differ in rows.
 */
export function mergeRows(
  { how, place }: Pick<MergeSourceMessage, 'how' | 'place'>,
  parents: readonly Chunks[],
  signal: AbortSignal,
): AsyncIterable<unknown[]> {
  switch (how) {
    case 'cogroup':
      return cogrouped(parents, place, signal);
    case 'zip':
      return zipped(parents, place);
    case 'cartesian':
      return multiplied(parents, signal);
    default:
      return assertNever(how, 'merge');
  }
}

/** [key, [values of parent 0, values of parent 1, …]], keys in order of first appearance. */
async function* cogrouped(
  parents: readonly Chunks[],
  place: string,
  signal: AbortSignal,
): AsyncGenerator<unknown[], void, undefined> {
  const groups = new KeyMap<unknown[][]>();
  for (const [parent, chunks] of parents.entries()) {
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      try {
        for (const row of chunk) addTo(groups, parents.length, parent, row as [unknown, unknown]);
      } catch (error) {
        throw MillraceError.is(error) ? placed(error, place) : error;
      }
    }
  }
  let made: unknown[] = [];
  for (const row of groups) {
    made.push(row);
    if (made.length < CHUNK_ROWS) continue;
    yield made;
    made = [];
  }
  if (made.length > 0) yield made;
}

function addTo(
  groups: KeyMap<unknown[][]>,
  parents: number,
  parent: number,
  [key, value]: [unknown, unknown],
): void {
  let values = groups.get(key);
  if (values === undefined) {
    values = Array.from({ length: parents }, () => []);
    groups.set(key, values);
  }
  values[parent]?.push(value);
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

/** Each row of the first with each of the second. The second is held in memory. */
async function* multiplied(
  [left, right]: readonly Chunks[],
  signal: AbortSignal,
): AsyncGenerator<unknown[], void, undefined> {
  if (left === undefined || right === undefined) return;
  const held: unknown[] = [];
  for await (const chunk of right) for (const row of chunk) held.push(row);
  for await (const chunk of left) {
    for (const a of chunk) {
      for (let from = 0; from < held.length; from += CHUNK_ROWS) {
        signal.throwIfAborted();
        yield held.slice(from, from + CHUNK_ROWS).map((b) => [a, b]);
      }
    }
  }
}
