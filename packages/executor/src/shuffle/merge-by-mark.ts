import type { RowBlock } from './row-block.ts';

const CHUNK_ROWS = 4096;

/** Rows with marks that are collected one by one. */
export class MarkedRows implements RowBlock {
  readonly keys: unknown[] = [];
  readonly values: unknown[] = [];
  readonly marks: number[] = [];

  get rows(): number {
    return this.keys.length;
  }

  get isFull(): boolean {
    return this.keys.length >= CHUNK_ROWS;
  }

  add(key: unknown, value: unknown, mark: number): void {
    this.keys.push(key);
    this.values.push(value);
    this.marks.push(mark);
  }
}

/** A source of a merge, and where it stands. */
class Cursor {
  /** Of the next row; Infinity at the end. */
  mark = Number.NEGATIVE_INFINITY;
  readonly #blocks: AsyncGenerator<RowBlock, void, undefined>;
  #block: RowBlock | undefined;
  #at = -1;

  constructor(blocks: AsyncGenerator<RowBlock, void, undefined>) {
    this.#blocks = blocks;
  }

  /** Adds the next row to `target`. */
  copyTo(target: MarkedRows): void {
    target.add(this.#block?.keys[this.#at], this.#block?.values[this.#at], this.mark);
  }

  /** To the next row; false when its block is not read yet: `read` then. */
  step(): boolean {
    this.#at++;
    const mark = this.#block?.marks?.[this.#at];
    if (mark === undefined) return false;
    this.mark = mark;
    return true;
  }

  async read(): Promise<void> {
    do {
      const { done, value } = await this.#blocks.next();
      this.#block = done === true ? undefined : value;
      this.#at = -1;
    } while (this.#block !== undefined && !this.step());
    if (this.#block === undefined) this.mark = Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    await this.#blocks.return();
  }
}

/** Rows of all sources in ascending order of their marks; each source must have them so. A few sources: the least is looked for. */
export async function* mergeByMark(
  sources: ReadonlyArray<AsyncGenerator<RowBlock, void, undefined>>,
): AsyncGenerator<RowBlock, void, undefined> {
  const cursors = sources.map((blocks) => new Cursor(blocks));
  try {
    for (const cursor of cursors) await cursor.read();
    let chunk = new MarkedRows();
    for (let next = least(cursors); next !== undefined; next = least(cursors)) {
      next.copyTo(chunk);
      if (!next.step()) await next.read();
      if (!chunk.isFull) continue;
      yield chunk;
      chunk = new MarkedRows();
    }
    if (chunk.rows > 0) yield chunk;
  } finally {
    for (const cursor of cursors) await cursor.close();
  }
}

function least(cursors: readonly Cursor[]): Cursor | undefined {
  let first: Cursor | undefined;
  let mark = Number.POSITIVE_INFINITY;
  for (const cursor of cursors) {
    if (cursor.mark >= mark) continue;
    first = cursor;
    mark = cursor.mark;
  }
  return first;
}
