import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock } from '@millrace/common';
import { launchOf } from '../../test/test-driver.ts';
import { ProcessSlot } from './process-slot.ts';
import type { SlotTask } from './slot.ts';

const SPACE = {
  directory: '/none/shuffle',
  spillDirectory: '/none/spill',
  memoryBytesMax: 1,
  fileBytesMax: 1,
  inlineBytesMax: 0,
};

let slot: ProcessSlot;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-killed-runs-test-'));
  slot = new ProcessSlot({
    index: 0,
    executorId: 'e-1',
    main: new URL('../../test/fixture-slot.ts', import.meta.url),
    memoryBytesMax: 512 * 1024 * 1024,
    startTimeoutMs: 30_000,
    blob: () => Promise.reject(new Error('none')),

    locate: () => Promise.reject(new Error('not used here')),
    fetchState: () => Promise.reject(new Error('not used here')),
    shuffleSpace: SPACE,
    clock: systemClock,
    log: silentLogger,
  });
  await slot.start();
});

afterEach(async () => {
  await slot.close();
  rmSync(directory, { recursive: true, force: true });
});

function task(source: string): SlotTask {
  const { key, stage, task: bytes, describes } = launchOf(source, 'p');
  return {
    key,
    programHash: 'p',
    programDir: directory,
    stage: stage as Uint8Array,
    task: bytes as Uint8Array,
    timeoutMs: 20_000,
    describes: describes ?? '',
  };
}

/** Nothing that the slot says meanwhile is heard. */
function hearNothing(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe('a task that is killed in the moment in which its turn comes', () => {
  it('does not keep its slot: what comes behind it is not blamed for it', async () => {
    const first = slot.run(task('() => 1'));
    const endless = task('() => { for (;;); }');
    const killed = slot.run(endless);
    await new Promise(setImmediate);
    hearNothing(1_000);
    // Its slot runs it; here that is not known yet.
    slot.kill((meant) => meant === endless, 'another slot is free', true);
    const behind = slot.run(task('() => 2'));
    expect(await first).toMatchObject({ kind: 'succeeded' });
    expect(await killed).toMatchObject({ kind: 'failed', error: { code: 'TASK_KILLED' } });
    expect(await behind).toBeUndefined();
    expect(await slot.ended).toMatchObject({ signal: 'SIGKILL' });
  });

  it('makes room when it stops', async () => {
    const first = slot.run(task('() => 1'));
    const waits = task(
      '({ signal }) => new Promise((_, no) => signal.addEventListener("abort", () => no(signal.reason)))',
    );
    const killed = slot.run(waits);
    await new Promise(setImmediate);
    hearNothing(1_000);
    slot.kill((meant) => meant === waits, 'another slot is free', true);
    const behind = slot.run(task('() => 2'));
    expect(await first).toMatchObject({ kind: 'succeeded' });
    expect(await killed).toMatchObject({ kind: 'failed', error: { code: 'TASK_KILLED' } });
    expect(await behind).toMatchObject({ kind: 'succeeded' });
  });
});
