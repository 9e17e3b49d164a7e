import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { FakeBackend } from '../testing/fake-backend.ts';
import { BlobKeeper } from './blob-keeper.ts';

const NONE: ReadonlyMap<string, Uint8Array> = new Map();
const table = Uint8Array.of(1, 2, 3);

describe('the blob keeper', () => {
  it('keeps a broadcast until everybody who made it has destroyed it', async () => {
    const dropped: string[] = [];
    const backend = Object.assign(new FakeBackend('manual'), {
      dropBlobs: (hashes: readonly string[]) => dropped.push(...hashes),
    });
    const blobs = new BlobKeeper(backend);
    const hash = blobs.broadcast(table);
    expect(blobs.broadcast(Uint8Array.from(table))).toBe(hash);
    blobs.dropBroadcast(hash);
    await blobs.ready(NONE, [hash]);
    expect(dropped).toEqual([]);
    blobs.dropBroadcast(hash);
    expect(dropped).toEqual([hash]);
    await expect(blobs.ready(NONE, [hash])).rejects.toMatchObject({ code: 'BLOCK_MISSING' });
  });

  it('says why a broadcast could not be stored, and stores it when it is made again', async () => {
    let full = true;
    const backend = Object.assign(new FakeBackend('manual'), {
      async putBlob(): Promise<void> {
        if (full) throw new MillraceError('MESSAGE_TOO_LARGE', 'no room');
      },
    });
    const blobs = new BlobKeeper(backend);
    const hash = blobs.broadcast(table);
    await new Promise((resolve) => setTimeout(resolve, 0));
    await expect(blobs.ready(NONE, [hash])).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    full = false;
    blobs.broadcast(table);
    await blobs.ready(NONE, [hash]);
  });
});
