import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock } from '@millrace/common';
import { tempDirectory } from '../../test/temp-directory.ts';
import { StateLock } from './state-lock.ts';
import { type SubmissionRecord, SubmissionStore } from './submission-store.ts';

const take = (stateDir: string): Promise<StateLock> => StateLock.take(stateDir, systemClock, silentLogger);
async function plant(stateDir: string, content: string | object): Promise<void> {
  await mkdir(join(stateDir, 'lock'), { recursive: true });
  const text = typeof content === 'string' ? content : JSON.stringify({ started: '', ...content });
  await writeFile(join(stateDir, 'lock', '1'), text);
}

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid ?? 0;
}

describe('StateLock', () => {
  it('is held by one at a time, and leaves one file behind', async () => {
    const stateDir = await tempDirectory();
    const lock = await take(stateDir);
    await expect(take(stateDir)).rejects.toMatchObject({
      code: 'STATE_DIR_IN_USE',
      details: { pid: process.pid },
    });
    await lock.release();
    await (await take(stateDir)).release();
    expect((await readdir(join(stateDir, 'lock'))).length).toBe(1);
  });

  it('is taken by exactly one of many that come at once, over a dead one’s lock too', async () => {
    for (const stale of [false, true]) {
      const stateDir = await tempDirectory();
      if (stale) await plant(stateDir, { pid: await deadPid(), host: hostname() });
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => take(stateDir)));
      const taken = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(taken.length).toBe(1);
      await taken[0]?.release();
    }
  });

  it('is taken over when its process is gone, or its pid is another process’s now', async () => {
    const stateDir = await tempDirectory();
    await plant(stateDir, { pid: await deadPid(), host: hostname() });
    await (await take(stateDir)).release();
    await plant(stateDir, { pid: process.pid, started: '1', host: hostname() });
    await (await take(stateDir)).release();
  });

  it('of another machine is taken over when nobody refreshes it', async () => {
    const stateDir = await tempDirectory();
    await plant(stateDir, { pid: 1, host: 'elsewhere' });
    await expect(take(stateDir)).rejects.toMatchObject({ code: 'STATE_DIR_IN_USE' });
    const old = Date.now() / 1000 - 60;
    await utimes(join(stateDir, 'lock', '1'), old, old);
    await (await take(stateDir)).release();
  });

  it('tells a holder that stood still, and was taken for gone, before it changes anything', async () => {
    const stateDir = await tempDirectory();
    const zombie = await take(stateDir);
    await zombie.assertHeld();
    const lock = join(stateDir, 'lock', '1');
    await writeFile(lock, JSON.stringify({ pid: 1, started: '', host: 'elsewhere' }));
    const old = Date.now() / 1000 - 60;
    await utimes(lock, old, old);
    const successor = await take(stateDir);
    expect(zombie.lost.aborted).toBe(false);
    const store = await SubmissionStore.open(stateDir, zombie.assertHeld);
    await expect(store.save({ name: 'app' } as SubmissionRecord)).rejects.toMatchObject({ code: 'FENCED' });
    expect(await readdir(join(stateDir, 'submissions'))).toEqual([]);
    expect(zombie.lost.reason).toMatchObject({ code: 'FENCED' });
    await zombie.release();
    await successor.assertHeld();
    expect(await readdir(join(stateDir, 'lock'))).toEqual(['2']);
    await successor.release();
  });

  it('is not stolen because its file is unreadable', async () => {
    const stateDir = await tempDirectory();
    await plant(stateDir, '');
    await expect(take(stateDir)).rejects.toMatchObject({ code: 'STATE_DIR_IN_USE' });
  });
});
