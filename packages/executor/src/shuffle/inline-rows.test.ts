import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { writeShuffleFile } from './bucket-rows.ts';
import { hashPartition } from './key-hash.ts';
import { type Row, rowsOfBlock } from './row-block.ts';
import { bucketSource, inlineBlocks, readRows } from './shuffle-reader.ts';
import type { WrittenRows } from './shuffle-writer.ts';
import { withDirectory } from './testing/temporary-directory.ts';

const BUCKETS = 3;

async function* chunk(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows;
}

function write(directory: string, rows: readonly Row[], inlineBytesMax: number): Promise<WrittenRows> {
  return writeShuffleFile(
    {
      path: join(directory, 'out/0-0'),
      buckets: BUCKETS,
      bufferBytesMax: 100_000,
      fileBytesMax: 1e9,
      inlineBytesMax,
      place: 'job.ts:1:2',
    },
    chunk(rows),
    (key) => hashPartition(key, BUCKETS),
  );
}

/** As it travels: bytes somewhere in a message, at any address. */
function received(inline: Buffer): Uint8Array {
  const message = Buffer.alloc(inline.length + 3);
  inline.copy(message, 3);
  return message.subarray(3);
}

function bucketsOf({ sizes, inline }: WrittenRows): Row[][] {
  let at = 0;
  return sizes.map((bytes) => {
    at += bytes;
    return [...inlineBlocks(received(inline?.subarray(at - bytes, at) as Buffer), {})].flatMap(rowsOfBlock);
  });
}

describe('a small map output', () => {
  it('is in the result, with the rows that the file would have, and leaves nothing on the disk', async () => {
    const row = fc.tuple(
      fc.oneof(fc.string(), fc.double({ noNaN: true }), fc.constant(null)),
      fc.oneof(fc.integer(), fc.string(), fc.array(fc.double({ noNaN: true }))),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 60 }), (rows) =>
        withDirectory(async (directory) => {
          const small = await write(directory, rows, 1e6);
          expect(small).toMatchObject({ bytes: 0, rows: rows.length });
          expect(await readdir(directory)).toEqual([]);
          const file = await write(directory, rows, 0);
          expect(file.inline).toBeUndefined();
          // Not byte for byte: V8 writes 3 as a double when the array that it came from began with one.
          expect(file.rows).toBe(small.rows);
          for (const [bucket, made] of bucketsOf(small).entries()) {
            const kept: Row[] = [];
            const source = await bucketSource(join(directory, 'out/0-0'), bucket);
            for await (const some of readRows([source])) kept.push(...some);
            expect(made).toEqual(kept);
          }
        }),
      ),
      { numRuns: 50 },
    );
  });

  it('is a file as soon as it is one byte too large', async () => {
    await withDirectory(async (directory) => {
      const rows: Row[] = [
        ['a', 1],
        ['b', 2],
      ];
      const bytes = (await write(directory, rows, 1e6)).inline?.length ?? 0;
      expect((await write(directory, rows, bytes)).inline).toHaveLength(bytes);
      expect((await write(directory, rows, bytes - 1)).inline).toBeUndefined();
      expect(await readdir(join(directory, 'out'))).toEqual(['0-0']);
    });
  });

  it('is refused when a byte of it is not as it was written', async () => {
    await withDirectory(async (directory) => {
      const { inline } = await write(directory, [['a', 1.5]], 1e6);
      const damaged = Buffer.from(inline as Buffer);
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
      const read = (bytes: Buffer) => [...inlineBlocks(bytes, { mapPartition: 4 })];
      const corrupt = expect.objectContaining({
        code: 'BLOCK_CORRUPT',
        details: expect.objectContaining({ mapPartition: 4 }),
      });
      expect(() => read(damaged)).toThrow(corrupt);
      expect(() => read(damaged.subarray(0, 30))).toThrow(corrupt);
    });
  });
});
