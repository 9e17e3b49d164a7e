import type { FileHandle } from 'node:fs/promises';
import type { ErrorDetails } from '@millrace/common';
import { BLOCK_HEADER_BYTES, blockLength } from './column-block.ts';
import { type Row, type RowBlock, RowBlockDecoder, rowsOfBlock } from './row-block.ts';
import { corruptBlock } from './shuffle-failure.ts';
import { type FileRange, openShuffleFile, readExactly, readIndex, withShuffleFile } from './shuffle-file.ts';

/** Where a bucket's blocks are: in a file of this machine, whole ranges of blocks, in order. */
export interface BlockSource {
  readonly path: string;
  readonly ranges: readonly FileRange[];
  /** What an error names: executorId, shuffle, mapPartition … */
  readonly details?: ErrorDetails;
}

/** Read at once; a block that is longer is read whole. */
const READ_BYTES = 1024 * 1024;

/**
 * The blocks of the sources, one source after the other, each in the order in which it was written. One block is held at a time
 * (and READ_BYTES of the file).
 * @throws MillraceError BLOCK_MISSING, BLOCK_CORRUPT: with path and offset, and the source's details.
 */
export async function* readBlocks(sources: Iterable<BlockSource>): AsyncGenerator<RowBlock, void, undefined> {
  for (const source of sources) {
    if (source.ranges.length === 0) continue;
    const file = await openShuffleFile(source.path);
    const decoder = new RowBlockDecoder();
    try {
      for (const range of source.ranges) yield* blocksOfRange(file, source, range, decoder);
    } finally {
      await file.close();
    }
  }
}

/** As `readBlocks`, as chunks of `[key, value]`, which the reader may keep and change. */
export async function* readRows(sources: Iterable<BlockSource>): AsyncGenerator<Row[], void, undefined> {
  for await (const block of readBlocks(sources)) yield rowsOfBlock(block);
}

/**
 * The blocks that came with the task.
 * @throws MillraceError BLOCK_CORRUPT, with `details`.
 */
export function* inlineBlocks(data: Uint8Array, details: ErrorDetails): Generator<RowBlock, void, undefined> {
  // Columns of numbers are read in place: they must be aligned, and not keep what else came.
  const blocks = Buffer.allocUnsafeSlow(data.length);
  blocks.set(data);
  const decoder = new RowBlockDecoder();
  for (let at = 0; at < blocks.length; ) {
    const where = { ...details, offset: at };
    const end = at + blockLength(blocks.subarray(at), where);
    const block = decoder.decode(blocks.subarray(at, end), where);
    if (block !== undefined) yield block;
    at = end;
  }
}

/** One bucket of a shuffle file, by the file's own index. @throws MillraceError BLOCK_MISSING, BLOCK_CORRUPT. */
export async function bucketSource(path: string, bucket: number): Promise<BlockSource> {
  const index = await withShuffleFile(path, (file) => readIndex(file, path));
  return { path, ranges: index.ranges(bucket) };
}

/** All buckets of a shuffle file, [0, `buckets`). @throws MillraceError BLOCK_MISSING, BLOCK_CORRUPT. */
export async function bucketSources(path: string, buckets: number): Promise<BlockSource[]> {
  const index = await withShuffleFile(path, (file) => readIndex(file, path));
  return Array.from({ length: buckets }, (_, bucket) => ({ path, ranges: index.ranges(bucket) }));
}

async function* blocksOfRange(
  file: FileHandle,
  source: BlockSource,
  range: FileRange,
  decoder: RowBlockDecoder,
): AsyncGenerator<RowBlock, void, undefined> {
  const end = range.offset + range.bytes;
  let offset = range.offset;
  while (offset < end) {
    const chunk = await readChunk(file, source, offset, end);
    let at = 0;
    while (chunk.length - at >= BLOCK_HEADER_BYTES) {
      const where = placeOf(source, offset + at);
      const length = blockLength(chunk.subarray(at), where);
      if (at + length > chunk.length) break;
      const block = decoder.decode(chunk.subarray(at, at + length), where);
      if (block !== undefined) yield block;
      at += length;
    }
    offset += at;
  }
}

/** Bytes from `offset` that hold at least one whole block. */
async function readChunk(
  file: FileHandle,
  source: BlockSource,
  offset: number,
  end: number,
): Promise<Buffer> {
  const where = placeOf(source, offset);
  const bytes = Math.min(READ_BYTES, end - offset);
  const chunk = await readExactly(file, { offset, bytes }, where);
  const length = blockLength(chunk, where);
  if (length <= bytes) return chunk;
  if (length > end - offset) throw corruptBlock('it is longer than its segment', where);
  return readExactly(file, { offset, bytes: length }, where);
}

function placeOf({ path, details }: BlockSource, offset: number): ErrorDetails {
  return { ...details, path, offset };
}
