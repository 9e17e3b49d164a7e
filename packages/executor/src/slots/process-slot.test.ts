import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { silentLogger, systemClock } from '@millrace/common';
import { startOrphanReaper } from './orphan-reaper.ts';
import { ProcessSlot, slotEnvironment, slotExecArgv } from './process-slot.ts';
import { residentBytes } from './resident-memory.ts';

describe('the process of a slot', () => {
  it('inherits how modules are found, not how memory or debuggers are used', () => {
    const parent = [
      '--conditions=@millrace/source',
      '-C',
      'x',
      '--inspect=9229',
      '--max-old-space-size=9',
      '--experimental-vm-modules',
      '--disable-warning=A',
    ];
    expect(slotExecArgv(parent, 1024 * 1024 * 1024)).toEqual([
      '--conditions=@millrace/source',
      '-C',
      'x',
      '--disable-warning=A',
      '--max-old-space-size=768',
    ]);
  });

  it('does not get the token, nor the options of its parent', () => {
    const parent = { PATH: '/bin', PGPASSWORD: 'p', MILLRACE_TOKEN: 's3cret', NODE_OPTIONS: '--inspect' };
    expect(slotEnvironment(parent, 'e-1', 2)).toEqual({
      PATH: '/bin',
      PGPASSWORD: 'p',
      MILLRACE_EXECUTOR_ID: 'e-1',
      MILLRACE_SLOT: '2',
    });
  });

  it('that does not start says why, and is gone', async () => {
    const slot = new ProcessSlot({
      index: 0,
      executorId: 'e-1',
      main: new URL('./no-such-module.ts', import.meta.url),
      memoryBytesMax: 256 * 1024 * 1024,
      startTimeoutMs: 10_000,
      blob: () => Promise.reject(new Error('none')),
      clock: systemClock,
      log: silentLogger,
    });
    await expect(slot.start()).rejects.toMatchObject({
      code: 'SLOT_LOST',
      what: expect.stringContaining('no-such-module'),
    });
    expect(await slot.ended).toMatchObject({ code: 1, wasUseful: false });
  });

  it('is measured', () => {
    expect(residentBytes(process.pid)).toBeGreaterThan(20_000_000);
    expect(Math.abs((residentBytes(process.pid) ?? 0) / process.memoryUsage.rss() - 1)).toBeLessThan(0.2);
    expect(residentBytes(99_999_999)).toBeUndefined();
  });
});

describe('the reaper', () => {
  const sleeper = () => spawn('sleep', ['60'], { stdio: 'ignore' });

  it('kills the slots that are left when its executor dies, and only those', async () => {
    const [orphan, done, other] = [sleeper(), sleeper(), sleeper()];
    const script = `
      import { startOrphanReaper } from ${JSON.stringify(new URL('./orphan-reaper.ts', import.meta.url).href)};
      const reaper = startOrphanReaper({ warn() {} });
      for (const pid of [${orphan.pid}, ${done.pid}]) reaper.watch(pid, true);
      reaper.watch(${done.pid}, false);
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), 200);
    `;
    const executor = spawn(
      process.execPath,
      ['--conditions=@millrace/source', '--input-type=module', '-e', script],
      { stdio: 'ignore' },
    );
    await Promise.all([once(executor, 'exit'), once(orphan, 'exit')]);
    expect(orphan.signalCode).toBe('SIGKILL');
    expect([done.signalCode, other.signalCode]).toEqual([null, null]);
    done.kill();
    other.kill();
  }, 20_000);

  it('kills nobody when it is closed', async () => {
    const slot = sleeper();
    const reaper = startOrphanReaper(silentLogger);
    reaper.watch(slot.pid ?? 0, true);
    reaper.close();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(slot.signalCode).toBeNull();
    slot.kill();
  });
});
