import { describe, expect, it } from '@jest/globals';
import { VirtualClock } from '@millrace/testing';
import { Restarts } from './restart-policy.ts';

describe('the restarts of a host', () => {
  it('come at once, then wait twice as long each time, then there is none', () => {
    const restarts = new Restarts(new VirtualClock(0));
    const waits = Array.from({ length: 6 }, () => {
      const wait = restarts.next();
      if (wait !== 'give-up') restarts.note(wait);
      return wait;
    });
    expect(waits).toEqual([0, 500, 1000, 2000, 4000, 'give-up']);
  });

  it('are counted for whoever watches, and forgotten after ten minutes', () => {
    const clock = new VirtualClock(0);
    const restarts = new Restarts(clock);
    expect(restarts.note(0)).toEqual({ number: 1, text: 'restart 1 of 5' });
    clock.advance(599_000);
    expect(restarts.note(500)).toEqual({ number: 2, text: 'restart 2 of 5 in 0.5 s' });
    clock.advance(1_000);
    expect(restarts.next()).toBe(500);
    expect(restarts.count).toBe(2);
  });
});
