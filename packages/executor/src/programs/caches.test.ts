import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { packBundle } from '@millrace/proto';
import { BlobCache } from './blob-cache.ts';
import { ProgramCache } from './program-cache.ts';
import { openWorkDirectory } from './work-directory.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'millrace-cache-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('blobs', () => {
  it('are fetched once, however many ask at once, and again after a failure', async () => {
    const asked: string[] = [];
    let broken = true;
    const cache = new BlobCache({
      bytesMax: 10,
      fetch(hash) {
        asked.push(hash);
        return broken ? Promise.reject(new Error('broken')) : Promise.resolve(Buffer.from(hash));
      },
    });
    await expect(Promise.all([cache.get('a'), cache.get('a')])).rejects.toThrow('broken');
    broken = false;
    await Promise.all([cache.get('a'), cache.get('a')]);
    await cache.get('a');
    expect(asked).toEqual(['a', 'a']);
  });

  it('are forgotten when they are dropped', async () => {
    const asked: string[] = [];
    const cache = new BlobCache({
      bytesMax: 4,
      fetch: (hash) => {
        asked.push(hash);
        return Promise.resolve(Buffer.alloc(2));
      },
    });
    for (const hash of ['a', 'b']) await cache.get(hash);
    cache.drop('a');
    cache.drop('unknown');
    // There is room again: b stays.
    for (const hash of ['c', 'b', 'a']) await cache.get(hash);
    expect(asked).toEqual(['a', 'b', 'c', 'a']);
  });

  it('leave by least recent use; one larger than the bound is served and not kept', async () => {
    const asked: string[] = [];
    const cache = new BlobCache({
      bytesMax: 4,
      fetch: (hash) => {
        asked.push(hash);
        return Promise.resolve(Buffer.alloc(hash.length));
      },
    });
    for (const hash of ['aa', 'bb', 'aa', 'cc', 'aa', 'bb', 'large', 'large']) await cache.get(hash);
    expect(asked).toEqual(['aa', 'bb', 'cc', 'bb', 'large', 'large']);
  });
});

describe('programs', () => {
  const archive = packBundle([{ path: 'executor/closures.mjs', content: Buffer.from('export default 1') }]);

  it('are unpacked once, into a directory of their own', async () => {
    let fetches = 0;
    const cache = new ProgramCache({
      dir,
      programsMax: 2,
      fetch: () => {
        fetches++;
        return Promise.resolve(archive);
      },
    });
    expect(cache.directory('h1')).toBeUndefined();
    const [a, b] = await Promise.all([cache.fetch('h1'), cache.fetch('h1')]);
    expect([a, b, cache.directory('h1'), fetches]).toEqual([join(dir, 'h1'), a, a, 1]);
    expect(readFileSync(join(a, 'executor/closures.mjs'), 'utf8')).toBe('export default 1');
    expect(readdirSync(dir)).toEqual(['h1']);
  });

  it('leave by least recent use, their files too', async () => {
    const cache = new ProgramCache({ dir, programsMax: 2, fetch: () => Promise.resolve(archive) });
    for (const hash of ['h1', 'h2', 'h1', 'h3']) await cache.fetch(hash);
    expect(readdirSync(dir).toSorted()).toEqual(['h1', 'h3']);
    expect(cache.directory('h2')).toBeUndefined();
  });

  it.each(['../up', '', 'a/b', '.'])('refuse %j as a name', async (hash) => {
    const cache = new ProgramCache({ dir, programsMax: 2, fetch: () => Promise.resolve(archive) });
    await expect(cache.fetch(hash)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('leave nothing when the archive is damaged, and are tried again', async () => {
    let bytes: Uint8Array = Buffer.from('nonsense');
    const cache = new ProgramCache({ dir, programsMax: 2, fetch: () => Promise.resolve(bytes) });
    await expect(cache.fetch('h1')).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    expect(readdirSync(dir)).toEqual([]);
    bytes = archive;
    await cache.fetch('h1');
  });
});

describe('the work directory', () => {
  it('is this process’s own, and rid of what dead executors left', async () => {
    // No process has this id: it is above Linux's largest.
    await openWorkDirectory(dir, 'e-0');
    rmSync(join(dir, `executor-${process.pid}-e-0`), { recursive: true });
    const { mkdirSync } = await import('node:fs');
    for (const name of ['executor-99999999-e-1', `executor-${process.ppid}-e-2`, 'something-else'])
      mkdirSync(join(dir, name));
    await openWorkDirectory(dir, 'e-3');
    expect(readdirSync(dir).toSorted()).toEqual(
      [`executor-${process.pid}-e-3`, `executor-${process.ppid}-e-2`, 'something-else'].toSorted(),
    );
  });
});
