import { describe, expect, it } from '@jest/globals';
import { NO_SPACE, slotOptions } from '../../test/slot-options.ts';
import { ProcessSlot } from './process-slot.ts';
import { residentBytes } from './resident-memory.ts';
import { slotEnvironment, slotExecArgv } from './slot-environment.ts';

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
      '--max-semi-space-size=16',
    ]);
  });

  it('does not get the token, nor the options of its parent', () => {
    const parent = {
      PATH: '/bin',
      PGPASSWORD: 'p',
      MILLRACE_TOKEN: 's3cret',
      MILLRACE_CRASH_POINT: 'sink-produced',
      NODE_OPTIONS: '--inspect',
    };
    expect(slotEnvironment(parent, 'e-1', 2, NO_SPACE)).toEqual({
      PATH: '/bin',
      PGPASSWORD: 'p',
      MILLRACE_CRASH_POINT: 'sink-produced',
      MILLRACE_EXECUTOR_ID: 'e-1',
      MILLRACE_SHUFFLE: JSON.stringify(NO_SPACE),
      MILLRACE_SLOT: '2',
    });
  });

  it('that does not start says why, and is gone', async () => {
    const slot = new ProcessSlot(slotOptions(new URL('./no-such-module.ts', import.meta.url)));
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
