import { BlockCursor } from './block-cursor.ts';
import type { RowBlock } from './row-block.ts';

const CHUNK_ROWS = 4096;
/** Rows may be large: groups of many values. */
const CHUNK_BYTES = 1024 * 1024;

/** Rows with marks that are collected one by one. */
export class MarkedRows implements RowBlock {
  readonly keys: unknown[] = [];
  readonly values: unknown[] = [];
  readonly marks: number[] = [];
  bytes = 0;

  get rows(): number {
    return this.keys.length;
  }

  get isFull(): boolean {
    return this.keys.length >= CHUNK_ROWS || this.bytes >= CHUNK_BYTES;
  }

  /** `bytes`: about what the row takes. */
  add(key: unknown, value: unknown, mark: number, bytes: number): void {
    this.keys.push(key);
    this.values.push(value);
    this.marks.push(mark);
    this.bytes += bytes;
  }
}

/** Rows of all sources in ascending order of their marks; each source must have them so. A few sources: the least is looked for. */
export async function* mergeByMark(
  sources: ReadonlyArray<AsyncGenerator<RowBlock, void, undefined>>,
): AsyncGenerator<RowBlock, void, undefined> {
  const cursors = sources.map((blocks) => new BlockCursor(blocks));
  try {
    for (const cursor of cursors) await cursor.read();
    let chunk = new MarkedRows();
    for (let next = least(cursors); next !== undefined; next = least(cursors)) {
      chunk.add(next.key, next.value, next.mark, next.rowBytes);
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

function least(cursors: readonly BlockCursor[]): BlockCursor | undefined {
  let first: BlockCursor | undefined;
  let mark = Number.POSITIVE_INFINITY;
  for (const cursor of cursors) {
    if (cursor.mark >= mark) continue;
    first = cursor;
    mark = cursor.mark;
  }
  return first;
}
