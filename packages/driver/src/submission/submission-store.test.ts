import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { contentHash, packBundle } from '@millrace/proto';
import { tempDirectory } from '../../test/temp-directory.ts';
import { BundleStore } from './bundle-store.ts';
import { checkApplicationName, type SubmissionRecord, SubmissionStore } from './submission-store.ts';

const record = (name: string, epoch = 0): SubmissionRecord => ({
  name,
  programHash: 'h',
  earlier: [],
  config: { batchInterval: '1s' },
  environment: { SECRET: 'x' },
  desired: 'running',
  state: 'RUNNING',
  epoch,
  submittedAt: 1,
});

const held = async (): Promise<void> => undefined;

describe('SubmissionStore', () => {
  it('gives back what was saved last, of every application', async () => {
    const stateDir = await tempDirectory();
    const store = await SubmissionStore.open(stateDir, held);
    void store.save(record('a', 1));
    void store.save(record('a', 2));
    await store.save(record('b'));
    await store.settled();
    expect(await (await SubmissionStore.open(stateDir, held)).load()).toEqual([record('a', 2), record('b')]);
    const { mode } = await stat(join(stateDir, 'submissions', 'a.json'));
    expect(mode & 0o777).toBe(0o600);
  });

  it.each(['', '{', 'null', '{"version":2,"submission":{"name":"a"}}', '{"version":1}'])(
    'refuses a damaged file: %p',
    async (content) => {
      const stateDir = await tempDirectory();
      const store = await SubmissionStore.open(stateDir, held);
      await writeFile(join(stateDir, 'submissions', 'a.json'), content);
      await expect(store.load()).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
    },
  );

  it('passes over what a crash left half written', async () => {
    const stateDir = await tempDirectory();
    const store = await SubmissionStore.open(stateDir, held);
    await writeFile(join(stateDir, 'submissions', 'a.json.tmp'), '{"ver');
    expect(await store.load()).toEqual([]);
    await store.save(record('a'));
    expect(await store.load()).toEqual([record('a')]);
  });

  it.each(['', '.', '..', '../a', 'a/b', 'a b', '-a', 'ä', 'a'.repeat(101), 'a\n'])(
    'refuses the name %p',
    (name) => {
      expect(() => checkApplicationName(name)).toThrow(/BAD_REQUEST/);
    },
  );
});

describe('BundleStore', () => {
  const archive = packBundle([
    { path: 'job.js', content: Buffer.from('job') },
    { path: 'lib/deep/größe.js', content: Buffer.from('lib') },
  ]);
  const hash = contentHash(archive);

  it('keeps a program once, and unpacks it once, whoever asks at the same time', async () => {
    const stateDir = await tempDirectory();
    const store = await BundleStore.open(stateDir, held);
    await Promise.all([store.put(hash, archive), store.put(hash, archive)]);
    expect(Buffer.from((await store.get(hash)) ?? []).equals(archive)).toBe(true);
    const directories = await Promise.all([store.unpacked(hash), store.unpacked(hash)]);
    expect(new Set(directories).size).toBe(1);
    expect(await readdir(join(directories[0] ?? '', 'lib', 'deep'))).toEqual(['größe.js']);
    expect(await readdir(join(stateDir, 'programs'))).toEqual([hash]);
    expect(await readdir(join(stateDir, 'bundles'))).toEqual([hash]);
  });

  it('knows nothing that it was not given', async () => {
    const store = await BundleStore.open(await tempDirectory(), held);
    expect(await store.get('../submissions')).toBeUndefined();
    expect(await store.get(hash)).toBeUndefined();
    await expect(store.unpacked(hash)).rejects.toMatchObject({ code: 'PROGRAM_MISSING' });
    await expect(store.put(hash, Buffer.from('other'))).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    await expect(store.put('x', archive)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('unpacks anew after a restart: what a power cut tore is not run', async () => {
    const stateDir = await tempDirectory();
    const before = await BundleStore.open(stateDir, held);
    await before.put(hash, archive);
    await writeFile(join(await before.unpacked(hash), 'job.js'), '');
    const after = await BundleStore.open(stateDir, held);
    expect(await readFile(join(await after.unpacked(hash), 'job.js'), 'utf8')).toBe('job');
  });

  it('keeps a program that is submitted again while it is removed', async () => {
    const stateDir = await tempDirectory();
    const store = await BundleStore.open(stateDir, held);
    await store.put(hash, archive);
    await Promise.all([store.keepOnly(() => new Set()), store.put(hash, archive)]);
    expect(await readdir(await store.unpacked(hash))).toEqual(['job.js', 'lib']);
  });

  it('forgets programs that nobody needs', async () => {
    const stateDir = await tempDirectory();
    const store = await BundleStore.open(stateDir, held);
    await store.put(hash, archive);
    await store.unpacked(hash);
    await store.keepOnly(() => new Set([hash]));
    expect(await store.get(hash)).toBeDefined();
    await store.keepOnly(() => new Set());
    expect(await readdir(join(stateDir, 'programs'))).toEqual([]);
    expect(await store.get(hash)).toBeUndefined();
  });
});
