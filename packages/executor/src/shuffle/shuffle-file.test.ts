import { access, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { writeShuffleFile } from './bucket-rows.ts';
import { hashPartition } from './key-hash.ts';
import type { Row } from './row-block.ts';
import { type BlockSource, bucketSource, readRows } from './shuffle-reader.ts';
import type { ShuffleWriterOptions } from './shuffle-writer.ts';
import { withDirectory } from './testing/temporary-directory.ts';

type Chunks = ReadonlyArray<readonly Row[]>;

async function* from(chunks: Chunks): AsyncGenerator<readonly Row[]> {
  yield* chunks;
}

function options(directory: string, own: Partial<ShuffleWriterOptions> = {}): ShuffleWriterOptions {
  return {
    path: join(directory, 'app/1/0-0'),
    buckets: 3,
    bufferBytesMax: 1000,
    fileBytesMax: 1e9,
    place: 'job.ts:1:2',
    ...own,
  };
}

const byHash = (buckets: number) => (key: unknown) => hashPartition(key, buckets);

async function rowsOf(sources: readonly BlockSource[]): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const chunk of readRows(sources)) rows.push(...chunk);
  return rows;
}

async function bucketRows(path: string, buckets: number): Promise<Row[][]> {
  const all: Row[][] = [];
  for (let bucket = 0; bucket < buckets; bucket++) all.push(await rowsOf([await bucketSource(path, bucket)]));
  return all;
}

/** A file with several segments a bucket. */
async function smallFile(directory: string): Promise<{ path: string; rows: Row[] }> {
  const rows = Array.from({ length: 6 }, (_, index): Row => [`key-${index % 3}`, index]);
  const own = options(directory, { bufferBytesMax: 100 });
  await writeShuffleFile(own, from([rows]), byHash(3));
  return { path: own.path, rows };
}

describe('a shuffle file', () => {
  it('gives the same rows when keys that repeat have numbers, whatever else is among them', async () => {
    const text = fc.oneof(
      fc.integer({ min: 0, max: 9 }).map((n) => `key-${n}`),
      fc.string(),
    );
    const row = fc.tuple(text, fc.oneof(fc.double(), fc.string()));
    const input = fc.record({
      texts: fc.array(row, { maxLength: 300, size: 'max' }),
      others: fc.array(fc.tuple(fc.oneof(text, fc.integer(), fc.constant('x'.repeat(99))), fc.integer())),
      buckets: fc.integer({ min: 1, max: 5 }),
      bufferBytesMax: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.constant(1e9)),
    });
    let numbered = 0;
    await withDirectory(async (directory) => {
      await fc.assert(
        fc.asyncProperty(input, async ({ texts, others, buckets, bufferBytesMax }) => {
          const own = options(directory, { buckets, bufferBytesMax });
          const bytes: number[] = [];
          for (const keysRepeat of [false, true]) {
            const chunks = [texts, others, texts];
            const written = await writeShuffleFile({ ...own, keysRepeat }, from(chunks), byHash(buckets));
            bytes.push(written.bytes);
            const expected = Array.from({ length: buckets }, (_, bucket) =>
              chunks.flat().filter(([key]) => hashPartition(key, buckets) === bucket),
            );
            expect(isDeepStrictEqual(await bucketRows(own.path, buckets), expected)).toBe(true);
          }
          if (bytes[0] !== bytes[1]) numbered++;
        }),
        { numRuns: 60 },
      );
    });
    expect(numbered).toBeGreaterThan(10);
  }, 60_000);

  it('begins numbers anew when they fill their memory and pay, and gives them up when they do not', async () => {
    const repeated = Array.from({ length: 30_000 }, (_, n): Row => [`key-${Math.floor(n / 10)}`, n]);
    const distinct = repeated.map((_, n): Row => [`key-${n}`, n]);
    await withDirectory(async (directory) => {
      for (const rows of [repeated, distinct]) {
        const own = options(directory, { buckets: 1, bufferBytesMax: 20_000 });
        await writeShuffleFile({ ...own, keysRepeat: true }, from([rows]), () => 0);
        expect(isDeepStrictEqual(await bucketRows(own.path, 1), [rows])).toBe(true);
      }
    });
  });

  it('gives each bucket its rows in the order in which they were written, however little memory there is', async () => {
    const row = fc.tuple(
      fc.oneof(fc.string(), fc.integer(), fc.constant(null)),
      fc.oneof(fc.double(), fc.string()),
    );
    const input = fc.record({
      chunks: fc.array(fc.array(row)),
      buckets: fc.integer({ min: 1, max: 9 }),
      bufferBytesMax: fc.integer({ min: 1, max: 3000 }),
    });
    await withDirectory(async (directory) => {
      await fc.assert(
        fc.asyncProperty(input, async ({ chunks, buckets, bufferBytesMax }) => {
          const own = options(directory, { buckets, bufferBytesMax });
          const written = await writeShuffleFile(own, from(chunks), byHash(buckets));
          const expected: Row[][] = Array.from({ length: buckets }, () => []);
          for (const each of chunks.flat()) expected[hashPartition(each[0], buckets)]?.push(each);
          expect(await bucketRows(own.path, buckets)).toEqual(expected);
          expect(written.rows).toBe(chunks.flat().length);
          expect(written.bytes).toBe((await readFile(own.path)).length);
          expect(written.sizes.map((size) => size > 0)).toEqual(expected.map((rows) => rows.length > 0));
          for (const [bucket, size] of written.sizes.entries()) {
            const { ranges } = await bucketSource(own.path, bucket);
            expect(ranges.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(size);
          }
        }),
        { numRuns: 60 },
      );
    });
  });

  it('is the same bytes for the same rows', async () => {
    await withDirectory(async (directory) => {
      const first = await readFile((await smallFile(join(directory, 'a'))).path);
      const second = await readFile((await smallFile(join(directory, 'b'))).path);
      expect(first.equals(second)).toBe(true);
    });
  });

  it('has rows that are longer than what is read at once', async () => {
    await withDirectory(async (directory) => {
      const rows: Row[] = [
        ['a', 'x'.repeat(3_000_000)],
        ['a', 'y'],
        ['a', Buffer.alloc(5_000_000, 1)],
      ];
      const own = options(directory, { buckets: 1, bufferBytesMax: 10_000_000 });
      await writeShuffleFile(own, from([rows]), () => 0);
      expect(isDeepStrictEqual(await bucketRows(own.path, 1), [rows])).toBe(true);
    });
  });

  it('tells every byte that is flipped or cut off: the rows that come are right', async () => {
    await withDirectory(async (directory) => {
      const { path, rows } = await smallFile(directory);
      const bytes = await readFile(path);
      const right = await bucketRows(path, 3);
      expect(right.flat()).toHaveLength(rows.length);
      const damaged = { code: 'BLOCK_CORRUPT', details: expect.objectContaining({ path }) };
      for (let at = 0; at < bytes.length; at++) {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
        await writeFile(path, flipped);
        await expect(bucketRows(path, 3)).rejects.toMatchObject(damaged);
      }
      await writeFile(path, bytes);
      for (let length = bytes.length - 1; length >= 0; length -= 7) {
        await truncate(path, length);
        await expect(bucketRows(path, 3)).rejects.toMatchObject(damaged);
      }
      await writeFile(path, Buffer.concat([bytes, Buffer.alloc(1)]));
      await expect(bucketRows(path, 3)).rejects.toMatchObject(damaged);
    });
  }, 60_000);

  it('is missing when it is not there', async () => {
    await expect(bucketSource('/nowhere/0-0', 0)).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
    const source = { path: '/nowhere/0-0', ranges: [{ offset: 0, bytes: 8 }] };
    await expect(rowsOf([source])).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
  });

  it.each<[string, Partial<ShuffleWriterOptions>, () => AsyncIterable<readonly Row[]>, number, object]>([
    ['a source that throws', {}, () => throwing(), 0, { message: 'lost' }],
    ['a bucket that is none', {}, () => from([[['a', 1]]]), 3, { code: 'USER_CODE', retryable: false }],
    ['a bucket below zero', {}, () => from([[['a', 1]]]), -1, { details: { place: 'job.ts:1:2' } }],
    ['a bucket between two', {}, () => from([[['a', 1]]]), 0.5, { code: 'USER_CODE' }],
    ['a bucket that is no number', {}, () => from([[['a', 1]]]), Number.NaN, { code: 'USER_CODE' }],
    ['a value that cannot be moved', {}, () => from([[['a', () => 1]]]), 0, { code: 'USER_CODE' }],
    [
      'a disk bound',
      { fileBytesMax: 90 },
      () => from([[['a', 'x'.repeat(100)]]]),
      0,
      { code: 'SHUFFLE_DISK' },
    ],
  ])('leaves nothing after %s', async (_, own, rows, bucket, failure) => {
    await withDirectory(async (directory) => {
      await expect(writeShuffleFile(options(directory, own), rows(), () => bucket)).rejects.toMatchObject(
        failure,
      );
      const left = await readdir(directory, { recursive: true, withFileTypes: true });
      expect(left.filter((entry) => entry.isFile())).toEqual([]);
    });
  });

  it('has its name only when it is whole', async () => {
    await withDirectory(async (directory) => {
      const own = options(directory, { bufferBytesMax: 1 });
      await writeShuffleFile(
        own,
        (async function* () {
          yield [['a', 1]];
          await expect(access(`${own.path}.part`)).resolves.toBeFalsy();
          await expect(access(own.path)).rejects.toThrow();
        })(),
        () => 0,
      );
      await expect(access(own.path)).resolves.toBeFalsy();
      await expect(access(`${own.path}.part`)).rejects.toThrow();
    });
  });

  it('says what to do when it cannot be written', async () => {
    await withDirectory(async (directory) => {
      await writeFile(join(directory, 'app'), '');
      await expect(writeShuffleFile(options(directory), from([]), () => 0)).rejects.toMatchObject({
        code: 'SHUFFLE_DISK',
        message: expect.stringContaining('Free space'),
      });
    });
  });
});

async function* throwing(): AsyncGenerator<readonly Row[]> {
  yield [['a', 'x'.repeat(2000)]];
  throw new Error('lost');
}
