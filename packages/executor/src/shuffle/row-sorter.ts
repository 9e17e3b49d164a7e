import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BlockCursor } from './block-cursor.ts';
import { writeShuffleFile } from './bucket-rows.ts';
import type { Row } from './row-block.ts';
import { bucketSource, readBlocks } from './shuffle-reader.ts';
import { sizeOf } from './value-size.ts';

export interface SorterOptions {
  /** Of keys. */
  readonly order: (a: unknown, b: unknown) => number;
  /** Of this sorter's own, for runs: made when it is needed, removed at the end. */
  readonly directory: string;
  /** Bytes (estimated) of rows in memory. Spilling adds a quarter for its buffer, and merging about 20 MiB to read back. */
  readonly memoryBytesMax: number;
  /** Bytes that a run may take. */
  readonly spillBytesMax: number;
  /** Of the operator in the job, for errors. */
  readonly place: string;
}

/** Runs that are merged at a time: each has a block in memory. */
const RUNS_AT_ONCE = 16;
const CHUNK_ROWS = 1024;
const CHUNK_BYTES = 1024 * 1024;
/** What a row costs beside its key and value. */
const ROW_BYTES = 40;
const BUFFER_BYTES_MIN = 64 * 1024;

/**
 * Rows in the order of their keys, as chunks; equal keys stay in order. What does not fit in memory is sorted in runs on disk, which are
 * merged: neighbours only, so that the order of equal keys stays. Files go when it is read to its end, or given up.
 * @throws MillraceError SHUFFLE_DISK; USER_CODE when rows on disk cannot be serialized; what `rows` and the order throw.
 */
export async function* sortedRows(
  rows: AsyncIterable<readonly Row[]>,
  options: SorterOptions,
): AsyncGenerator<Row[], void, undefined> {
  const sorter = new RowSorter(options);
  try {
    for await (const chunk of rows) await sorter.add(chunk);
    yield* sorter.results();
  } finally {
    await sorter.close();
  }
}

class RowSorter {
  readonly #options: SorterOptions;
  #rows: Row[] = [];
  #bytes = 0;
  /** Files, in the order of the rows that are in them. */
  #runs: string[] = [];
  #files = 0;

  constructor(options: SorterOptions) {
    this.#options = options;
  }

  async add(rows: readonly Row[]): Promise<void> {
    for (const row of rows) {
      this.#rows.push(row);
      this.#bytes += ROW_BYTES + sizeOf(row[0]) + sizeOf(row[1]);
      if (this.#bytes >= this.#options.memoryBytesMax) await this.#spill();
    }
  }

  /** Once; afterwards only `close`. */
  async *results(): AsyncGenerator<Row[], void, undefined> {
    if (this.#runs.length === 0) {
      yield* slices(this.#sorted());
      return;
    }
    if (this.#rows.length > 0) await this.#spill();
    while (this.#runs.length > RUNS_AT_ONCE) await this.#mergeNeighbours();
    yield* this.#merged(this.#runs);
  }

  /** Never throws. */
  async close(): Promise<void> {
    this.#rows = [];
    if (this.#files > 0)
      await rm(this.#options.directory, { recursive: true, force: true }).catch(() => undefined);
  }

  #sorted(): readonly Row[] {
    const { order } = this.#options;
    const rows = this.#rows;
    this.#rows = [];
    this.#bytes = 0;
    return rows.toSorted((a, b) => order(a[0], b[0]));
  }

  async #spill(): Promise<void> {
    this.#runs.push(await this.#write(slices(this.#sorted())));
  }

  async #mergeNeighbours(): Promise<void> {
    const merged: string[] = [];
    for (let from = 0; from < this.#runs.length; from += RUNS_AT_ONCE) {
      const runs = this.#runs.slice(from, from + RUNS_AT_ONCE);
      merged.push(await this.#write(this.#merged(runs)));
      for (const run of runs) await rm(run, { force: true });
    }
    this.#runs = merged;
  }

  async #write(chunks: Iterable<readonly Row[]> | AsyncIterable<readonly Row[]>): Promise<string> {
    const { directory, memoryBytesMax, spillBytesMax, place } = this.#options;
    const path = join(directory, String(this.#files++));
    const bufferBytesMax = Math.max(memoryBytesMax / 4, BUFFER_BYTES_MIN);
    const file = { path, buckets: 1, bufferBytesMax, fileBytesMax: spillBytesMax, place };
    await writeShuffleFile(file, chunks, () => 0);
    return path;
  }

  async *#merged(runs: readonly string[]): AsyncGenerator<Row[], void, undefined> {
    const cursors: RunCursor[] = [];
    try {
      for (const [run, path] of runs.entries()) {
        const cursor = new RunCursor(run, readBlocks([await bucketSource(path, 0)]));
        cursors.push(cursor);
        await cursor.read();
      }
      yield* this.#inOrder(cursors);
    } finally {
      for (const cursor of cursors) await cursor.close();
    }
  }

  async *#inOrder(cursors: readonly RunCursor[]): AsyncGenerator<Row[], void, undefined> {
    const waiting: RunCursor[] = [];
    for (const cursor of cursors) this.#insert(waiting, cursor);
    let chunk: Row[] = [];
    let bytes = 0;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      chunk.push([next.key, next.value]);
      bytes += next.rowBytes;
      if (!next.step()) await next.read();
      this.#insert(waiting, next);
      if (chunk.length < CHUNK_ROWS && bytes < CHUNK_BYTES) continue;
      yield chunk;
      chunk = [];
      bytes = 0;
    }
    if (chunk.length > 0) yield chunk;
  }

  /** Into the cursors in the order of their keys; of equal ones the earlier run is first. */
  #insert(cursors: RunCursor[], cursor: RunCursor): void {
    if (cursor.isAtEnd) return;
    const { order } = this.#options;
    let low = 0;
    let high = cursors.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = cursors[middle] as RunCursor;
      const found = order(other.key, cursor.key) || other.run - cursor.run;
      if (found < 0) low = middle + 1;
      else high = middle;
    }
    cursors.splice(low, 0, cursor);
  }
}

class RunCursor extends BlockCursor {
  readonly run: number;

  constructor(run: number, blocks: ConstructorParameters<typeof BlockCursor>[0]) {
    super(blocks);
    this.run = run;
  }
}

function* slices(rows: readonly Row[]): Generator<Row[]> {
  for (let from = 0; from < rows.length; from += CHUNK_ROWS) yield rows.slice(from, from + CHUNK_ROWS);
}
