import { type FileHandle, open } from 'node:fs/promises';
import type { ErrorDetails } from '@millrace/common';
import { BLOCK_HEADER_BYTES, decodeColumns, encodeColumns } from './column-block.ts';
import { corruptBlock, readFailure } from './shuffle-failure.ts';

/*
 * A shuffle file: segments, each some blocks of one bucket; then the index, a block with the columns bucket, offset and bytes of a segment,
 * in file order; then the footer. Every byte of it is under the checksum of a block, but for the footer: its two numbers are where the
 * index is, and the size of the file.
 */
const FOOTER_BYTES = 16;

/** A part of a file. */
export interface FileRange {
  readonly offset: number;
  readonly bytes: number;
}

interface Segment extends FileRange {
  readonly bucket: number;
}

/** What ends a file with these segments, which fill it up to `offset`. */
export function encodeFooter(segments: readonly Segment[], offset: number): Buffer {
  const index = encodeColumns([
    segments.map(({ bucket }) => bucket),
    segments.map((segment) => segment.offset),
    segments.map(({ bytes }) => bytes),
  ]);
  const footer = new Float64Array([offset, offset + index.length + FOOTER_BYTES]);
  return Buffer.concat([index, new Uint8Array(footer.buffer)]);
}

/** Which ranges of a shuffle file are a bucket's. Compact: there may be thousands of files with thousands of buckets each. */
export class ShuffleIndex {
  readonly segments: number;
  readonly #buckets: ArrayLike<number>;
  readonly #offsets: ArrayLike<number>;
  readonly #bytes: ArrayLike<number>;

  constructor(
    segments: number,
    buckets: ArrayLike<number>,
    offsets: ArrayLike<number>,
    bytes: ArrayLike<number>,
  ) {
    this.segments = segments;
    this.#buckets = buckets;
    this.#offsets = offsets;
    this.#bytes = bytes;
  }

  /** In the order in which they were written. None for a bucket that has no rows. */
  ranges(bucket: number): readonly FileRange[] {
    const found: FileRange[] = [];
    for (let at = 0; at < this.segments; at++) {
      if (this.#buckets[at] === bucket) {
        found.push({ offset: this.#offsets[at] ?? 0, bytes: this.#bytes[at] ?? 0 });
      }
    }
    return found;
  }
}

/**
 * The index of the shuffle file that is open as `file`.
 * @throws MillraceError BLOCK_CORRUPT when its end is not as it was written.
 */
export async function readIndex(file: FileHandle, path: string): Promise<ShuffleIndex> {
  const where = { path };
  const { size } = await file.stat();
  if (size < FOOTER_BYTES + BLOCK_HEADER_BYTES) throw corruptBlock('its file is too short', where);
  const footer = await readExactly(file, { offset: size - FOOTER_BYTES, bytes: FOOTER_BYTES }, where);
  const [offset = -1, expected = -1] = new Float64Array(footer.buffer, footer.byteOffset, 2);
  if (expected !== size) throw corruptBlock(`its file has ${size} bytes, not those that were written`, where);
  const bytes = size - FOOTER_BYTES - offset;
  if (!Number.isSafeInteger(offset) || offset < 0 || bytes < BLOCK_HEADER_BYTES) {
    throw corruptBlock('the index of its file is nowhere', where);
  }
  const index = decodeColumns(await readExactly(file, { offset, bytes }, where), where);
  const [buckets, offsets, lengths] = index.columns as ReadonlyArray<ArrayLike<number>>;
  if (buckets === undefined || offsets === undefined || lengths === undefined) {
    throw corruptBlock('the index of its file is none', where);
  }
  return new ShuffleIndex(index.rows, buckets, offsets, lengths);
}

/** Opens, uses and closes a shuffle file. @throws MillraceError BLOCK_MISSING when it is not there; what `use` throws. */
export async function withShuffleFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await openShuffleFile(path);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** @throws MillraceError BLOCK_MISSING when it is not there, BLOCK_CORRUPT when it cannot be opened. */
export async function openShuffleFile(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    throw readFailure(error, path);
  }
}

/** A fresh, aligned buffer. @throws MillraceError BLOCK_CORRUPT when the file is shorter, or is not read. */
export async function readExactly(file: FileHandle, range: FileRange, where: ErrorDetails): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(range.bytes);
  let filled = 0;
  while (filled < range.bytes) {
    const { bytesRead } = await file
      .read(buffer, filled, range.bytes - filled, range.offset + filled)
      .catch((error: unknown) => Promise.reject(readFailure(error, String(where['path']))));
    if (bytesRead === 0) throw corruptBlock('its file is cut off', where);
    filled += bytesRead;
  }
  return buffer;
}
