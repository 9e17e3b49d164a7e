import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { writeShuffleFile } from './bucket-rows.ts';
import type { Row } from './row-block.ts';
import { readRows } from './shuffle-reader.ts';
import { type MapOutputName, ShuffleStore } from './shuffle-store.ts';
import { collected } from './testing/collected.ts';
import { withDirectory } from './testing/temporary-directory.ts';

const name = (shuffle: string, mapPartition = 0): MapOutputName => ({ shuffle, mapPartition, attempt: 1 });

async function write(store: ShuffleStore, output: MapOutputName, rows: readonly Row[]): Promise<void> {
  const options = {
    path: store.path(output),
    buckets: 2,
    bufferBytesMax: 1 << 20,
    fileBytesMax: 1e9,
    place: '',
  };
  await writeShuffleFile(options, rowsFrom(rows), (key) => (key === 'a' ? 0 : 1));
  await store.admit(output);
}

async function* rowsFrom(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows;
}

async function bytesOf(store: ShuffleStore, output: MapOutputName, bucket: number): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of store.read(output, bucket)) chunks.push(chunk);
  return chunks;
}

describe('the shuffle store', () => {
  it('serves a bucket in bounded chunks, which hold its rows', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1e9 });
      const rows = Array.from({ length: 20 }, (_, index): Row => ['a', `${index}`.repeat(100_000)]);
      await write(store, name('app/1/5/0/2'), [...rows, ['b', 1]]);
      const chunks = await bytesOf(store, name('app/1/5/0/2'), 0);
      expect(Math.max(...chunks.map(({ length }) => length))).toBe(1024 * 1024);
      const path = join(directory, 'fetched');
      const bytes = Buffer.concat(chunks);
      await writeFile(path, bytes);
      const sources = [
        { path, ranges: [{ offset: 0, bytes: bytes.length }] },
        await store.source(name('app/1/5/0/2'), 1),
      ];
      expect((await collected(readRows(sources))).flat()).toEqual([...rows, ['b', 1]]);
      expect(await bytesOf(store, name('app/1/5/0/2'), 7)).toEqual([]);
    });
  });

  it('gives up whole datasets that may be, the least recently used first, and never that of the file that comes', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1e9, cacheBytesMax: 2_500 });
      const rows: Row[] = [['a', 'x'.repeat(500)]];
      const [one, two, three] = ['cache-1', 'cache-2', 'cache-3'].map(
        (dataset) => `app/1/${dataset}/5/0/1`,
      ) as [string, string, string];
      await write(store, name(one), rows);
      await write(store, name(one, 1), rows);
      await write(store, name(two), rows);
      await write(store, name('app/1/kept-9/5/0/1'), rows);
      await store.source(name(one), 0);
      await write(store, name(three), rows);
      // The second one was used before the first.
      await expect(store.source(name(two), 0)).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
      await store.source(name(one, 1), 0);
      await write(store, name(three, 1), rows);
      await expect(store.source(name(one), 0)).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
      await expect(store.source(name(one, 1), 0)).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
      // Larger than the bound, and there all the same.
      for (let partition = 2; partition < 8; partition++) await write(store, name(three, partition), rows);
      for (let partition = 0; partition < 8; partition++) await store.source(name(three, partition), 0);
      await store.source(name('app/1/kept-9/5/0/1'), 0);
      await store.dropOutputs({ application: 'app', epoch: 1, batchTime: 100 });
      expect(store.size).toBe(9);
      await store.dropOutputs({ kept: 'app/1/cache-3/' });
      await store.dropOutputs({ kept: 'app/1/kept-9/' });
      expect([store.size, store.bytes]).toEqual([0, 0]);
    });
  });

  it('gives them up for others when the disk bound is reached', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1_500 });
      const rows: Row[] = [['a', 'x'.repeat(500)]];
      await write(store, name('app/1/cache-1/5/0/1'), rows);
      await write(store, name('app/1/5/0/1'), rows);
      await write(store, name('app/1/5/0/1', 1), rows);
      await expect(store.source(name('app/1/cache-1/5/0/1'), 0)).rejects.toMatchObject({
        code: 'BLOCK_MISSING',
      });
      await store.source(name('app/1/5/0/1'), 0);
    });
  });

  it('counts bytes, and refuses a file that does not fit', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1500 });
      await write(store, name('app/1/1'), [['a', 'x'.repeat(500)]]);
      const { bytes } = store;
      expect(bytes).toBeGreaterThan(500);
      await store.admit(name('app/1/1'));
      expect([store.size, store.bytes]).toEqual([1, bytes]);
      await expect(write(store, name('app/1/2'), [['a', 'x'.repeat(1000)]])).rejects.toMatchObject({
        code: 'SHUFFLE_DISK',
      });
      expect([store.size, store.bytes]).toEqual([1, bytes]);
      expect(await readdir(dirname(store.path(name('app/1/2'))))).toEqual([]);
    });
  });

  it('drops by whole segments of a prefix, with what failed tasks left', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1e9 });
      for (const shuffle of ['app/1/5/0', 'app/1/50/0', 'app/2/5/0'])
        await write(store, name(shuffle), [['a', 1]]);
      await writeFile(join(directory, 'app/1/5/0/3-0.part'), 'torn');
      await store.drop('app/1/5/');
      await store.drop('app/1/5/');
      expect(store.size).toBe(2);
      expect(await readdir(join(directory, 'app/1'))).toEqual(['50']);
      await expect(bytesOf(store, name('app/1/5/0'), 0)).rejects.toMatchObject({
        code: 'BLOCK_MISSING',
        details: { blockId: 'app/1/5/0/0-1/0' },
      });
      await store.drop('app/');
      expect([store.size, store.bytes]).toEqual([0, 0]);
    });
  });

  it('drops a batch with those before it, and older epochs, also what nobody admitted', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1e9 });
      const shuffles = [
        'app/1/100/0/1',
        'app/1/200/0/1',
        'app/1/300/0/1',
        'app/2/100/0/1',
        'other/1/100/0/1',
      ];
      for (const shuffle of shuffles) await write(store, name(shuffle), [['a', 1]]);
      const late = store.path(name('app/1/100/0/1', 9));
      await writeFile(late, 'of a task that was killed');
      await store.dropBatch('app', 1, 200);
      expect(store.size).toBe(3);
      await expect(stat(late)).rejects.toMatchObject({ code: 'ENOENT' });
      await store.dropEpochs('app', 2);
      expect(store.size).toBe(2);
      // Nothing of it is here.
      await store.dropBatch('unknown', 1, 200);
      await store.dropEpochs('unknown', 2);
      await expect(store.dropBatch('..', 1, 200)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      expect(store.size).toBe(2);
    });
  });

  it('lets a reader finish what is dropped under it', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1e9 });
      await write(store, name('app/1'), [['a', 'x'.repeat(3_000_000)]]);
      const reading = store.read(name('app/1'), 0);
      await reading.next();
      await store.drop('app/');
      const rest = await collected(reading);
      expect(rest.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(1_900_000);
    });
  });

  it('survives files that vanish', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1e9 });
      await write(store, name('app/1', 0), [['a', 1]]);
      await write(store, name('app/1', 1), [['a', 2]]);
      await bytesOf(store, name('app/1', 0), 0);
      await rm(store.path(name('app/1', 0)));
      await expect(bytesOf(store, name('app/1', 0), 0)).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
      expect(store.size).toBe(1);
      expect(await bytesOf(store, name('app/1', 1), 0)).toHaveLength(1);
      await expect(store.admit(name('app/9'))).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
    });
  });

  it('tells a file that is not one', async () => {
    await withDirectory(async (directory) => {
      const store = new ShuffleStore({ directory, bytesMax: 1e9 });
      await mkdir(dirname(store.path(name('app/1'))), { recursive: true });
      await writeFile(store.path(name('app/1')), Buffer.alloc(100, 1));
      await store.admit(name('app/1'));
      await expect(bytesOf(store, name('app/1'), 0)).rejects.toMatchObject({ code: 'BLOCK_CORRUPT' });
    });
  });

  it.each(['../x', 'app/../../x', '', '/app', 'app//1', 'a\0b', '..'])(
    'takes %j for no name',
    async (shuffle) => {
      const store = new ShuffleStore({ directory: '/nowhere', bytesMax: 1 });
      expect(() => store.path(name(shuffle))).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
      await expect(store.drop(shuffle)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    },
  );
});
