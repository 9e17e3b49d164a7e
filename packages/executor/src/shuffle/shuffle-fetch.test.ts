import { readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import { BLOCKS, createWireServer, type WireServer } from '@millrace/proto';
import type { ShuffleBlockMessage } from '@millrace/proto/task';
import { blockHandlers } from '../blocks/block-service.ts';
import { BlockStore } from '../blocks/block-store.ts';
import { writeShuffleFile } from './bucket-rows.ts';
import type { Row } from './row-block.ts';
import { ShuffleFetch } from './shuffle-fetch.ts';
import { readRows } from './shuffle-reader.ts';
import { ShuffleStore } from './shuffle-store.ts';
import { collected } from './testing/collected.ts';
import { withDirectory } from './testing/temporary-directory.ts';

const TOKEN = 'a shared secret';
const SHUFFLE = 'app/1/1000/0/1';
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** An executor as others see it: a store behind a block service. */
interface Peer {
  readonly id: string;
  readonly store: ShuffleStore;
  readonly address: string;
  readonly server: WireServer;
}

async function peer(id: string, directory: string): Promise<Peer> {
  const store = new ShuffleStore({ directory: join(directory, id), bytesMax: 1e9 });
  const server = createWireServer({ host: 'localhost', port: 0, token: TOKEN });
  server.server.addService(BLOCKS, blockHandlers(new BlockStore(1), store));
  const port = await server.listen();
  cleanups.push(() => server.close());
  return { id, store, address: `localhost:${port}`, server };
}

/** Writes a map output of two buckets, and names its blocks. */
async function mapOutput(
  { id, store, address }: Peer,
  mapPartition: number,
  rows: readonly Row[],
): Promise<ShuffleBlockMessage[]> {
  const name = { shuffle: SHUFFLE, mapPartition, attempt: 0 };
  const options = {
    path: store.path(name),
    buckets: 2,
    bufferBytesMax: 1 << 20,
    fileBytesMax: 1e9,
    place: '',
  };
  async function* chunk(): AsyncGenerator<readonly Row[]> {
    yield rows;
  }
  const { sizes } = await writeShuffleFile(options, chunk(), (key) => Number(key) % 2);
  await store.admit(name);
  return sizes.map((bytes, bucket) => ({
    executorId: id,
    address,
    directory: SHUFFLE,
    mapPartition,
    attempt: 0,
    bucket,
    bytes,
  }));
}

function fetchInto(directory: string, own: ShuffleStore, silenceMsMax = 5_000): ShuffleFetch {
  const fetch = new ShuffleFetch({
    store: own,
    executorId: 'own',
    directory: join(directory, 'fetched'),
    security: { token: TOKEN },
    clock: systemClock,
    silenceMsMax,
  });
  cleanups.push(() => fetch.close());
  return fetch;
}

const rowsOf = (from: number, count: number): Row[] =>
  Array.from({ length: count }, (_, index) => [from + index, 'x'.repeat(200)]);

describe('the blocks of a shuffle', () => {
  it('come from all executors, in the order asked for, and go when they were read', async () => {
    await withDirectory(async (directory) => {
      const [own, a, b] = [
        await peer('own', directory),
        await peer('a', directory),
        await peer('b', directory),
      ];
      // More than a chunk each.
      const outputs = [
        await mapOutput(a, 0, rowsOf(0, 20_000)),
        await mapOutput(own, 1, rowsOf(100_000, 10)),
        await mapOutput(b, 2, rowsOf(200_000, 20_000)),
        await mapOutput(a, 3, rowsOf(300_000, 10)),
      ];
      const fetch = fetchInto(directory, own.store);
      const located = await fetch.locate(outputs.map(([, odd]) => odd as ShuffleBlockMessage));
      const rows = (await collected(readRows(located.sources))).flat();
      const wanted = [
        ...rowsOf(0, 20_000),
        ...rowsOf(100_000, 10),
        ...rowsOf(200_000, 20_000),
        ...rowsOf(300_000, 10),
      ];
      expect(rows).toEqual(wanted.filter(([key]) => Number(key) % 2 === 1));
      expect(await readdir(join(directory, 'fetched'))).toHaveLength(1);
      await located.release();
      expect(await readdir(join(directory, 'fetched'))).toEqual([]);
    });
  });

  it.each([
    ['are gone', async ({ store }: Peer) => store.drop(SHUFFLE)],
    [
      'lost their file',
      async ({ store }: Peer) => rm(store.path({ shuffle: SHUFFLE, mapPartition: 0, attempt: 0 })),
    ],
    ['are on an executor that ended', async ({ server }: Peer) => server.close()],
  ])('that %s name their executor, and leave nothing', async (_, lose) => {
    await withDirectory(async (directory) => {
      const [own, a] = [await peer('own', directory), await peer('a', directory)];
      const blocks = await mapOutput(a, 0, rowsOf(0, 10));
      await lose(a);
      const failed = fetchInto(directory, own.store).locate(blocks);
      await expect(failed).rejects.toMatchObject({
        code: 'FETCH_FAILED',
        remedy: expect.stringContaining('block port'),
        details: { executorId: 'a', shuffle: SHUFFLE, mapPartition: 0 },
      });
      expect(await readdir(join(directory, 'fetched'))).toEqual([]);
    });
  });

  it('that have another size than the map task said are not taken', async () => {
    await withDirectory(async (directory) => {
      const [own, a] = [await peer('own', directory), await peer('a', directory)];
      const [block] = await mapOutput(a, 0, rowsOf(0, 10));
      const wrong = { ...(block as ShuffleBlockMessage), bytes: 1 };
      await expect(fetchInto(directory, own.store).locate([wrong])).rejects.toMatchObject({
        code: 'FETCH_FAILED',
      });
    });
  });

  it('of an executor that says nothing are given up', async () => {
    await withDirectory(async (directory) => {
      const own = await peer('own', directory);
      const deaf = createServer((socket) => cleanups.push(() => socket.destroy()));
      await new Promise<void>((resolve) => deaf.listen(0, 'localhost', resolve));
      cleanups.push(() => deaf.close());
      const { port } = deaf.address() as { port: number };
      const block = { executorId: 'deaf', address: `localhost:${port}`, directory: SHUFFLE, mapPartition: 0 };
      const failed = fetchInto(directory, own.store, 300).locate([
        { ...block, attempt: 0, bucket: 0, bytes: 9 },
      ]);
      await expect(failed).rejects.toMatchObject({ code: 'FETCH_FAILED', details: { executorId: 'deaf' } });
    });
  });

  it('of this executor are read where they are', async () => {
    await withDirectory(async (directory) => {
      const own = await peer('own', directory);
      const blocks = await mapOutput(own, 0, rowsOf(0, 4));
      const { sources } = await fetchInto(directory, own.store).locate(blocks);
      expect(sources.map(({ path }) => path)).toEqual(
        [0, 0].map(() => own.store.path({ shuffle: SHUFFLE, mapPartition: 0, attempt: 0 })),
      );
      await own.store.drop(SHUFFLE);
      await expect(fetchInto(directory, own.store).locate(blocks)).rejects.toMatchObject({
        code: 'FETCH_FAILED',
        details: { executorId: 'own' },
      });
    });
  });
});
