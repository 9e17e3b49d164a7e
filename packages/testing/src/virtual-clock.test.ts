import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from './virtual-clock.ts';

describe('VirtualClock', () => {
  it('stands still until it is moved, and fires timers at their own time, in order', () => {
    const clock = new VirtualClock(1000);
    const fired: string[] = [];
    const at = (name: string) => () => void fired.push(`${name} at ${clock.now()}`);
    clock.schedule(20, at('second'));
    clock.schedule(10, () => {
      at('first')();
      clock.schedule(5, at('from within'));
      clock.schedule(500, at('never'));
    });
    clock.schedule(20, at('third'));
    clock.schedule(15, at('cancelled')).cancel();
    expect([clock.now(), clock.monotonic(), fired]).toEqual([1000, 0, []]);
    clock.advance(30);
    expect(fired).toEqual(['first at 1010', 'from within at 1015', 'second at 1020', 'third at 1020']);
    expect([clock.now(), clock.monotonic(), clock.pendingTimers]).toEqual([1030, 30, 1]);
  });

  it('ends a sleep when its time has come or it is aborted, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const abort = new AbortController();
    const aborted = clock.sleep(100, abort.signal);
    const slept = clock.sleep(100, new AbortController().signal);
    abort.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
    await expect(clock.sleep(1, abort.signal)).rejects.toThrow('enough');
    clock.advance(100);
    await slept;
    expect(clock.pendingTimers).toBe(0);
  });
});
