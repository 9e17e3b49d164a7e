import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError, placed } from '@millrace/common';
import { mix } from '../pipeline/loop-runtime.ts';
import { CombinerEntries, type PartSize } from './combiner-entries.ts';
import { keyHash } from './key-hash.ts';
import { mergeByMark } from './merge-by-mark.ts';
import type { Row, RowBlock } from './row-block.ts';
import { type BlockSource, bucketSources, readBlocks } from './shuffle-reader.ts';
import { ShuffleWriter } from './shuffle-writer.ts';

export interface CombinerOptions {
  /** The combiner of a key's first value. */
  readonly create: (value: unknown) => unknown;
  /** The combiner after one more value; may be the same object, changed. */
  readonly merge: (combiner: unknown, value: unknown) => unknown;
  /** Of this combiner's own, for spills: made when it is needed, removed by `close`. */
  readonly directory: string;
  /** Bytes (estimated) of keys and combiners in memory. Spilling adds at most as much for its buffers, and about 20 MiB to read back. */
  readonly memoryBytesMax: number;
  /** Keys in memory. A Map of V8 holds 2^24. */
  readonly keysMax: number;
  /** Bytes that a spill file may take. */
  readonly spillBytesMax: number;
  /** Of the operator in the job, for errors. */
  readonly place: string;
}

/** Parts into which the keys are divided when they do not fit: each is combined by itself later. */
const PARTS = 16;
/** How often a part is divided again. After it only keys of one 32-bit hash are together: more memory is the only help. */
const LEVEL_MAX = 8;
const BUFFER_BYTES_MIN = 64 * 1024;
const NUMBER_BYTES = 8;

interface Spill {
  /** Combiners that were in memory when their part was evicted, then all later rows of those parts, by part. */
  readonly combiners: ShuffleWriter;
  readonly rows: ShuffleWriter;
}

/**
 * Combines rows by key in bounded memory (a hybrid hash aggregation: Shapiro 1986). When keys and combiners pass the bound, the largest parts
 * by key hash are evicted to disk; later rows of their keys follow them unmerged, and each part is combined by itself at the end.
 * So create and merge see the values of a key one after the other in the order of the rows, and results come in order of first appearance
 * of their key: the same calls, results and order whether or not it spilled.
 */
export class Combiner {
  readonly #options: CombinerOptions;
  readonly #level: number;
  readonly #entries = new CombinerEntries();
  readonly #evicted: boolean[] = Array.from({ length: PARTS }, () => false);
  #spill: Spill | undefined;
  #bytesLimit: number;
  #keysLimit: number;
  #nextMark = 0;

  constructor(options: CombinerOptions, level = 0) {
    this.#options = options;
    this.#level = level;
    this.#bytesLimit = options.memoryBytesMax;
    this.#keysLimit = options.keysMax;
  }

  /** Whether the next step should be `spill`: a bound is reached. */
  get isFull(): boolean {
    return (
      this.#entries.bytes >= this.#bytesLimit || this.#entries.size >= this.#keysLimit || this.#isSpillFull
    );
  }

  /** Whether rows went to disk. */
  get hasSpilled(): boolean {
    return this.#spill !== undefined;
  }

  /** @throws MillraceError USER_CODE for what cannot be a key, or (on disk) cannot be serialized; what create and merge throw. */
  add(key: unknown, value: unknown, mark: number = this.#nextMark++): void {
    const at = this.#entries.find(key);
    if (at >= 0) {
      this.#entries.merged(at, this.#options.merge(this.#entries.combiners[at], value), value);
      return;
    }
    const part = this.#spill === undefined ? 0 : this.#partOf(key);
    if (this.#spill === undefined || this.#evicted[part] === false) {
      this.#entries.insert(key, this.#options.create(value), mark);
    } else this.#spill.rows.add(part, key, value, mark);
  }

  /** Of the entries in memory, for a loop that merges by itself: it may put a number in the place of another combiner. */
  get combiners(): unknown[] {
    return this.#entries.combiners;
  }

  /** The entry in memory of a key; -1 when there is none at hand: then the row is for `take`. @throws as `take`. */
  find(key: unknown): number {
    if (typeof key === 'string') return this.#entries.ofText(key);
    try {
      return this.#entries.find(key);
    } catch (error) {
      throw this.#atPlace(error);
    }
  }

  /** As `add`. @throws MillraceError as `add`, with the place. */
  take(key: unknown, value: unknown): void {
    try {
      this.add(key, value);
    } catch (error) {
      throw this.#atPlace(error);
    }
  }

  /** A loop has put a number into a list that is a combiner. */
  collected(): void {
    this.#entries.bytes += NUMBER_BYTES;
  }

  /** A loop has merged one more value into an entry, and it made `combiner`. */
  merged(at: number, combiner: unknown, value: unknown): void {
    this.#entries.merged(at, combiner, value);
  }

  /** Keys and combiners keep nothing of what was read that they are not themselves. */
  own(): void {
    this.#entries.own();
  }

  /** Adds all, spilling as needed. @throws as `add` and `spill`. */
  async addRows(rows: readonly Row[]): Promise<void> {
    for (let index = 0; index < rows.length; ) {
      index = this.#addUntilFull(rows, index);
      if (this.isFull) await this.spill();
    }
  }

  /** Makes room in memory. @throws MillraceError SHUFFLE_DISK; USER_CODE when a combiner cannot be serialized. */
  async spill(): Promise<void> {
    if (this.#isSpillFull) await this.#flush();
    if (this.#entries.bytes < this.#bytesLimit && this.#entries.size < this.#keysLimit) return;
    const { memoryBytesMax, keysMax } = this.#options;
    const sizes = this.#entries.measure(PARTS, (key) => this.#partOf(key));
    const fits = this.#entries.bytes < memoryBytesMax / 2 && this.#entries.size < keysMax;
    // One key cannot be divided, however large.
    if (!fits && this.#entries.size > 1 && this.#level < LEVEL_MAX) await this.#evict(sizes);
    // What cannot be helped must not be tried again for every row.
    this.#bytesLimit = Math.max(memoryBytesMax, this.#entries.bytes * 2);
    this.#keysLimit = Math.max(keysMax, this.#entries.size * 2);
  }

  /** One row a key, in order of first appearance, as chunks. Once; afterwards only `close`. @throws as `add` and `spill`. */
  async *results(): AsyncGenerator<Row[], void, undefined> {
    for await (const { rows, keys, values } of this.#blocks()) {
      const chunk: Row[] = [];
      for (let index = 0; index < rows; index++) chunk.push([keys[index], values[index]]);
      yield chunk;
    }
  }

  /** Removes the spill files. Never throws; idempotent. */
  async close(): Promise<void> {
    this.#entries.clear();
    const spill = this.#spill;
    if (spill === undefined) return;
    await spill.combiners.abort();
    await spill.rows.abort();
    await rm(this.#options.directory, { recursive: true, force: true }).catch(() => undefined);
  }

  /** At least one row; the index of the first that was not added. What cannot be a key is refused with the operator's place. */
  #addUntilFull(rows: readonly Row[], from: number): number {
    let index = from;
    try {
      do {
        const [key, value] = rows[index] as Row;
        this.add(key, value);
        index++;
      } while (index < rows.length && !this.isFull);
    } catch (error) {
      throw this.#atPlace(error);
    }
    return index;
  }

  #atPlace(error: unknown): unknown {
    return MillraceError.is(error) ? placed(error, this.#options.place) : error;
  }

  get #isSpillFull(): boolean {
    return this.#spill !== undefined && (this.#spill.rows.isFull || this.#spill.combiners.isFull);
  }

  /** The part of a key at this level; independent of the partition of the shuffle, which all keys here have in common. */
  #partOf(key: unknown): number {
    return mix(keyHash(key), this.#level + 1) % PARTS;
  }

  /** Evicts the largest parts until at most half of the bytes and of the keys are left. */
  async #evict(sizes: readonly PartSize[]): Promise<void> {
    let restBytes = this.#entries.bytes;
    let restKeys = this.#entries.size;
    for (const { bytes, keys, part } of sizes.toSorted((a, b) => b.bytes - a.bytes)) {
      if (restBytes <= this.#entries.bytes / 2 && restKeys <= this.#entries.size / 2) break;
      this.#evicted[part] = true;
      restBytes -= bytes;
      restKeys -= keys;
    }
    this.#spill ??= { combiners: this.#writer('combiners', PARTS), rows: this.#writer('rows', PARTS) };
    for (let at = 0; at < this.#entries.end; at++) {
      const row = this.#entries.rowOf(at);
      if (row === undefined) continue;
      const part = this.#partOf(row.key);
      if (this.#evicted[part] !== true) continue;
      this.#spill.combiners.add(part, row.key, row.combiner, row.mark);
      this.#entries.remove(at);
      if (this.#spill.combiners.isFull) await this.#spill.combiners.flush();
    }
    this.#entries.compact();
  }

  async #flush(): Promise<void> {
    if (this.#spill?.combiners.isFull) await this.#spill.combiners.flush();
    if (this.#spill?.rows.isFull) await this.#spill.rows.flush();
  }

  #writer(name: string, buckets: number): ShuffleWriter {
    const { directory, memoryBytesMax, spillBytesMax, place } = this.#options;
    return new ShuffleWriter({
      path: join(directory, name),
      buckets,
      bufferBytesMax: Math.max(memoryBytesMax / 4, BUFFER_BYTES_MIN),
      fileBytesMax: spillBytesMax,
      place,
    });
  }

  /** The results with their marks, ascending. */
  async *#blocks(): AsyncGenerator<RowBlock, void, undefined> {
    const spill = this.#spill;
    if (spill === undefined) {
      yield* this.#entries.blocks();
      return;
    }
    await spill.combiners.finish();
    await spill.rows.finish();
    const { directory } = this.#options;
    const combiners = await bucketSources(join(directory, 'combiners'), PARTS);
    const rows = await bucketSources(join(directory, 'rows'), PARTS);
    const output = this.#writer('results', PARTS + 1);
    try {
      // What stayed in memory goes first: each part then has all of it.
      await writeBlocks(output, PARTS, this.#entries.blocks());
      this.#entries.clear();
      for (let part = 0; part < PARTS; part++) {
        if (this.#evicted[part] === true) await this.#combinePart(part, combiners[part], rows[part], output);
      }
      await output.finish();
    } finally {
      await output.abort();
    }
    const results = await bucketSources(join(directory, 'results'), PARTS + 1);
    yield* mergeByMark(results.map((source) => readBlocks([source])));
  }

  /** Combines an evicted part by itself. */
  async #combinePart(
    part: number,
    combiners: BlockSource | undefined,
    rows: BlockSource | undefined,
    output: ShuffleWriter,
  ): Promise<void> {
    const directory = join(this.#options.directory, `${part}`);
    const child = new Combiner({ ...this.#options, directory }, this.#level + 1);
    try {
      if (combiners) await child.#replay(combiners, (...row) => child.#resume(...row));
      if (rows) await child.#replay(rows, (...row) => child.add(...row));
      await writeBlocks(output, part, child.#blocks());
    } finally {
      await child.close();
    }
  }

  async #replay(
    source: BlockSource,
    add: (key: unknown, value: unknown, mark: number) => void,
  ): Promise<void> {
    for await (const { rows, keys, values, marks } of readBlocks([source])) {
      for (let index = 0; index < rows; index++) {
        add(keys[index], values[index], marks?.[index] ?? 0);
        if (this.isFull) await this.spill();
      }
    }
  }

  /** Goes on with a combiner that was evicted. */
  #resume(key: unknown, combiner: unknown, mark: number): void {
    const part = this.#partOf(key);
    if (this.#spill !== undefined && this.#evicted[part] === true) {
      this.#spill.combiners.add(part, key, combiner, mark);
    } else this.#entries.insert(key, combiner, mark);
  }
}

async function writeBlocks(
  writer: ShuffleWriter,
  bucket: number,
  blocks: AsyncIterable<RowBlock> | Iterable<RowBlock>,
): Promise<void> {
  for await (const { rows, keys, values, marks } of blocks) {
    for (let index = 0; index < rows; index++) {
      writer.add(bucket, keys[index], values[index], marks?.[index] ?? 0);
      if (writer.isFull) await writer.flush();
    }
  }
}

/**
 * Rows combined by key, as chunks in order of first appearance of the key. Its spill files go when it is read to its end, or given up.
 * @throws MillraceError USER_CODE, SHUFFLE_DISK, RESULT_TOO_LARGE; what `rows`, create and merge throw.
 */
export async function* combineRows(
  rows: AsyncIterable<readonly Row[]>,
  options: CombinerOptions,
): AsyncGenerator<Row[], void, undefined> {
  const combiner = new Combiner(options);
  try {
    for await (const chunk of rows) await combiner.addRows(chunk);
    yield* combiner.results();
  } finally {
    await combiner.close();
  }
}
