import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import { slotOptions } from '../../test/slot-options.ts';
import { launchOf } from '../../test/test-driver.ts';
import { ProcessSlot } from './process-slot.ts';
import type { SlotTask } from './slot.ts';

let slot: ProcessSlot;
let directory: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-killed-runs-test-'));
  slot = new ProcessSlot(slotOptions(new URL('../../test/fixture-slot.ts', import.meta.url)));
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

/** A statement of a task: it has begun. */
const begins = (): string =>
  `process.getBuiltinModule('fs').writeFileSync(${JSON.stringify(join(directory, 'begun'))}, '');`;

/** Until the slot runs the task that `begins`. Nothing that the slot says meanwhile is heard. */
function hearNothingUntilBegun(): void {
  const never = new Int32Array(new SharedArrayBuffer(4));
  const deadline = systemClock.monotonic() + 10_000;
  while (!existsSync(join(directory, 'begun'))) {
    if (systemClock.monotonic() > deadline) throw new Error('the task behind did not begin');
    Atomics.wait(never, 0, 0, 5);
  }
}

describe('a task that is killed in the moment in which its turn comes', () => {
  it('does not keep its slot: what comes behind it is not blamed for it', async () => {
    const first = slot.run(task('() => 1'));
    const endless = task(`() => { ${begins()} for (;;); }`);
    const killed = slot.run(endless);
    await new Promise(setImmediate);
    hearNothingUntilBegun();
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
      `({ signal }) => new Promise((_, no) => { ${begins()} signal.addEventListener("abort", () => no(signal.reason)); })`,
    );
    const killed = slot.run(waits);
    await new Promise(setImmediate);
    hearNothingUntilBegun();
    slot.kill((meant) => meant === waits, 'another slot is free', true);
    const behind = slot.run(task('() => 2'));
    expect(await first).toMatchObject({ kind: 'succeeded' });
    expect(await killed).toMatchObject({ kind: 'failed', error: { code: 'TASK_KILLED' } });
    expect(await behind).toMatchObject({ kind: 'succeeded' });
  });
});
