import { describe, expect, it } from '@jest/globals';
import { type Clock, type MillraceError, systemClock } from '@millrace/common';
import { VirtualClock } from '@millrace/testing';
import { Drain } from './drain.ts';

function drain(isStalled: () => boolean): { clock: VirtualClock; cancelled: MillraceError[]; drain: Drain } {
  const clock = new VirtualClock(0);
  const cancelled: MillraceError[] = [];
  return { clock, cancelled, drain: new Drain({ clock, isStalled, cancel: (why) => cancelled.push(why) }) };
}

describe('a drain', () => {
  it('does not wait for executors that are not there, but a moment for one that is on its way back', () => {
    let stalled = true;
    const away = drain(() => stalled);
    away.clock.advance(4_999);
    expect(away.cancelled).toEqual([]);
    stalled = false;
    away.clock.advance(3_000);
    stalled = true;
    away.clock.advance(4_000);
    expect(away.cancelled).toEqual([]);
    away.clock.advance(2_000);
    expect(away.cancelled).toMatchObject([{ code: 'DRAIN_TIMEOUT' }]);
    expect(away.cancelled[0]?.what).toContain('no executor');
  });

  it('counts looks: a machine that stood still for minutes takes no time from the batch', () => {
    let due: () => void = () => undefined;
    const cancelled: MillraceError[] = [];
    // Timers that fire late, as they do after a SIGCONT.
    const clock: Clock = {
      ...systemClock,
      schedule: (_ms, callback) => {
        due = callback;
        return { cancel: () => undefined };
      },
    };
    const waiting = new Drain({ clock, isStalled: () => false, cancel: (why) => cancelled.push(why) });
    for (let look = 1; look < 30; look++) due();
    expect(cancelled).toEqual([]);
    due();
    expect(cancelled).toMatchObject([{ code: 'DRAIN_TIMEOUT' }]);
    waiting.end();
  });

  it('is cut short after 30 s, and not after its end', () => {
    const long = drain(() => false);
    const ended = drain(() => false);
    ended.drain.end();
    for (const { clock } of [long, ended]) clock.advance(30_000);
    expect(long.cancelled).toMatchObject([{ code: 'DRAIN_TIMEOUT' }]);
    expect(ended.cancelled).toEqual([]);
  });
});
