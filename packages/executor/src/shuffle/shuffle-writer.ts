import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { invariant, MillraceError, placed } from '@millrace/common';
import { RowBuffer } from './row-block.ts';
import { overDiskBound, writeFailure } from './shuffle-failure.ts';
import { encodeFooter } from './shuffle-file.ts';

export interface ShuffleWriterOptions {
  /** Where the file is once it is finished. Before, it is `<path>.part`. */
  readonly path: string;
  readonly buckets: number;
  /** Bytes of rows and blocks of all buckets together that are held before they go to the file. */
  readonly bufferBytesMax: number;
  /** Bytes that the file may take. */
  readonly fileBytesMax: number;
  /** Of the operator in the job, for errors. */
  readonly place: string;
}

export interface WrittenRows {
  /** Of the file; 0: there is none. */
  readonly bytes: number;
  /** Bytes of each bucket. */
  readonly sizes: readonly number[];
  readonly rows: number;
  /** All buckets, one after the other, when there is no file. */
  readonly inline?: Buffer;
}

/** Rows of a block end when they are estimated to take so much: small enough for a processor's cache. */
const BLOCK_BYTES = 256 * 1024;

/** Writes the buckets of one map attempt to one file, in bounded memory. Rows of a bucket keep the order in which they were added. */
export class ShuffleWriter {
  readonly #options: ShuffleWriterOptions;
  readonly #buffers: RowBuffer[];
  /** Blocks of each bucket that are not in the file yet. */
  readonly #blocks: Buffer[][];
  readonly #sizes: number[];
  readonly #segments: { bucket: number; offset: number; bytes: number }[] = [];
  #file: FileHandle | undefined;
  /** There may be a file that is not finished. */
  #hasPart = false;
  #bufferedBytes = 0;
  #offset = 0;
  #rows = 0;

  constructor(options: ShuffleWriterOptions) {
    invariant(Number.isInteger(options.buckets) && options.buckets > 0, 'a shuffle has buckets');
    this.#options = options;
    this.#buffers = Array.from({ length: options.buckets }, () => new RowBuffer(options.place));
    this.#blocks = Array.from({ length: options.buckets }, () => []);
    this.#sizes = Array.from({ length: options.buckets }, () => 0);
  }

  /** Whether the next step should be `flush`: the bound is reached. */
  get isFull(): boolean {
    return this.#bufferedBytes >= this.#options.bufferBytesMax;
  }

  /**
   * `mark`: see RowBlock; for all rows or none.
   * @throws MillraceError USER_CODE, with the place, for rows that cannot be serialized and for a bucket out of range; RESULT_TOO_LARGE.
   */
  add(bucket: number, key: unknown, value: unknown, mark?: number): void {
    const buffer = this.#buffers[bucket];
    if (buffer === undefined) throw partitionOutOfRange(bucket, this.#options.buckets, this.#options.place);
    if (!buffer.takes(false)) this.#encode(bucket, buffer);
    const before = buffer.bytes;
    buffer.add(key, value, mark);
    this.#added(bucket, buffer, before);
  }

  /** A row whose key is a text of a dictionary, which has its `place`; `isNew`: it has not been written yet. @throws as `add`. */
  addNumbered(place: number, text: string, isNew: boolean, value: unknown): void {
    const bucket = place % this.#buffers.length;
    const number = (place - bucket) / this.#buffers.length;
    const buffer = this.#buffers[bucket] as RowBuffer;
    if (!buffer.takes(true)) this.#encode(bucket, buffer);
    const before = buffer.bytes;
    buffer.addNumbered(number, text, isNew, value);
    this.#added(bucket, buffer, before);
  }

  /** Numbers of texts begin at 0 again, in all buckets. */
  beginTexts(): void {
    this.encode();
    for (const buffer of this.#buffers) buffer.beginTexts();
  }

  /** Rows that are held become blocks, which keep nothing of what the rows were a part of. @throws MillraceError USER_CODE, RESULT_TOO_LARGE. */
  encode(): void {
    for (const [bucket, buffer] of this.#buffers.entries()) if (buffer.rows > 0) this.#encode(bucket, buffer);
  }

  /** Writes what is held. @throws MillraceError SHUFFLE_DISK, USER_CODE, RESULT_TOO_LARGE. */
  async flush(): Promise<void> {
    this.encode();
    const parts: Buffer[] = [];
    for (const bucket of this.#blocks.keys())
      for (const block of this.#takeSegment(bucket)) parts.push(block);
    this.#bufferedBytes = 0;
    await this.#write(parts);
  }

  /**
   * All that was added, when it is no more than `bytesMax` as blocks and none of it is in the file: then there is to be none. Otherwise
   * undefined, and `finish` goes on. @throws MillraceError USER_CODE, RESULT_TOO_LARGE.
   */
  inline(bytesMax: number): WrittenRows | undefined {
    if (this.#file !== undefined) return undefined;
    this.encode();
    if (this.#bufferedBytes > bytesMax) return undefined;
    const sizes = this.#blocks.map((blocks) => blocks.reduce((bytes, block) => bytes + block.length, 0));
    return { bytes: 0, sizes, rows: this.#rows, inline: Buffer.concat(this.#blocks.flat()) };
  }

  /** Writes the rest and gives the file its name; another attempt's of that name is replaced. @throws as `flush`. */
  async finish(): Promise<WrittenRows> {
    const { path } = this.#options;
    await this.flush();
    const footer = encodeFooter(this.#segments, this.#offset);
    this.#offset += footer.length;
    await this.#write([footer]);
    try {
      await this.#file?.close();
      this.#file = undefined;
      await rename(partOf(path), path);
      this.#hasPart = false;
    } catch (error) {
      throw writeFailure(error, path);
    }
    return { bytes: this.#offset, sizes: this.#sizes, rows: this.#rows };
  }

  /** Removes what was written, unless it is finished. Never throws; idempotent. */
  async abort(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
    if (!this.#hasPart) return;
    await rm(partOf(this.#options.path), { force: true }).catch(() => undefined);
  }

  #added(bucket: number, buffer: RowBuffer, bytesBefore: number): void {
    this.#bufferedBytes += buffer.bytes - bytesBefore;
    this.#rows++;
    if (buffer.bytes >= BLOCK_BYTES) this.#encode(bucket, buffer);
  }

  #encode(bucket: number, buffer: RowBuffer): void {
    this.#bufferedBytes -= buffer.bytes;
    const block = buffer.take();
    this.#bufferedBytes += block.length;
    this.#blocks[bucket]?.push(block);
  }

  /** The blocks of a bucket, which are its next segment. */
  #takeSegment(bucket: number): readonly Buffer[] {
    const blocks = this.#blocks[bucket] ?? [];
    if (blocks.length === 0) return blocks;
    this.#blocks[bucket] = [];
    let bytes = 0;
    for (const block of blocks) bytes += block.length;
    this.#segments.push({ bucket, offset: this.#offset, bytes });
    this.#sizes[bucket] = (this.#sizes[bucket] ?? 0) + bytes;
    this.#offset += bytes;
    return blocks;
  }

  async #write(parts: readonly Buffer[]): Promise<void> {
    const { path, fileBytesMax } = this.#options;
    if (this.#offset > fileBytesMax) throw overDiskBound(this.#offset, fileBytesMax, path);
    try {
      this.#hasPart = true;
      this.#file ??= await createPart(path);
      for (let from = 0; from < parts.length; from += PARTS_MAX) {
        await writeAll(this.#file, parts.slice(from, from + PARTS_MAX));
      }
    } catch (error) {
      throw writeFailure(error, path);
    }
  }
}

/** The operating system takes no more parts in one call (IOV_MAX). */
const PARTS_MAX = 1024;

function partOf(path: string): string {
  return `${path}.part`;
}

async function createPart(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return open(partOf(path), 'w', 0o600);
}

/** A call may write less than all, when the disk is nearly full. */
async function writeAll(file: FileHandle, parts: readonly Buffer[]): Promise<void> {
  let bytes = 0;
  for (const part of parts) bytes += part.length;
  const { bytesWritten } = await file.writev(parts);
  if (bytesWritten === bytes) return;
  await file.writeFile(Buffer.concat(parts).subarray(bytesWritten));
}

export function partitionOutOfRange(partition: unknown, partitions: number, place: string): MillraceError {
  const error = new MillraceError(
    'USER_CODE',
    `the partitioner gave ${String(partition)} for a key: not an integer of 0 to ${partitions - 1}`,
    { remedy: 'Return the index of a partition.', retryable: false },
  );
  return placed(error, place);
}
