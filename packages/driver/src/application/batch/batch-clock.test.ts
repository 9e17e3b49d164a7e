import { describe, expect, it } from '@jest/globals';
import type { Clock } from '@millrace/common';
import * as fc from 'fast-check';
import { VirtualClock } from '../../../../testing/src/virtual-clock.ts';
import { BatchClock, nextBatchTime, type Tick } from './batch-clock.ts';

const START = 1_700_000_000_000;
const forever = new AbortController().signal;

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

async function tick(clock: VirtualClock, batches: BatchClock, advanceMs: number): Promise<Tick> {
  const beat = batches.next(forever);
  await settle();
  clock.advance(advanceMs);
  await settle();
  const late = Promise.resolve().then(() => {
    throw new Error(`no tick within ${advanceMs} ms`);
  });
  return Promise.race([beat, late]);
}

describe('nextBatchTime', () => {
  it.each([
    ['waits for the first tick', undefined, 1_234, 100, 1_300],
    ['is the tick after the last one in a steady run', 1_200, 1_210, 100, 1_300],
    ['coalesces missed ticks into the latest due one', 1_200, 5_678, 100, 5_600],
    ['goes on from the last one when the wall clock is behind', 9_000, 1_234, 100, 9_100],
    ['aligns upwards when the interval was changed', 1_250, 1_260, 100, 1_300],
    ['is due at once when the tick is now', 1_200, 1_300, 100, 1_300],
  ] as const)('%s', (_, last, now, interval, expected) => {
    expect(nextBatchTime(last, now, interval)).toBe(expected);
  });
});

describe('a batch clock', () => {
  it('ticks at multiples of the interval, one interval apart', async () => {
    const clock = new VirtualClock(START + 42);
    const batches = new BatchClock({ clock, intervalMs: 100, last: undefined });
    expect(await tick(clock, batches, 58)).toMatchObject({
      batchTime: START + 100,
      intervals: 1,
      coalesced: 0,
    });
    expect(await tick(clock, batches, 100)).toMatchObject({
      batchTime: START + 200,
      intervals: 1,
      previous: START + 100,
    });
  });

  it('coalesces the ticks that a slow batch missed, and counts them', async () => {
    const clock = new VirtualClock(START);
    const batches = new BatchClock({ clock, intervalMs: 100, last: undefined });
    await tick(clock, batches, 100);
    clock.advance(1_050);
    expect(await tick(clock, batches, 0)).toMatchObject({
      batchTime: START + 1_100,
      intervals: 10,
      coalesced: 9,
    });
    expect(await tick(clock, batches, 50)).toMatchObject({ batchTime: START + 1_200, intervals: 1 });
  });

  it('makes one batch of a long outage', async () => {
    const clock = new VirtualClock(START + 8 * 3_600_000);
    const batches = new BatchClock({ clock, intervalMs: 1_000, last: START });
    expect(await tick(clock, batches, 0)).toMatchObject({ intervals: 28_800, coalesced: 28_799 });
    expect(await tick(clock, batches, 1_000)).toMatchObject({ intervals: 1 });
  });

  it.each([3_600_000, -3_600_000])(
    'neither floods nor stalls when the wall clock jumps by %d ms',
    async (jump) => {
      const clock = new VirtualClock(START);
      let wall = 0;
      const jumping: Clock = {
        now: () => clock.now() + wall,
        monotonic: () => clock.monotonic(),
        schedule: (ms, callback) => clock.schedule(ms, callback),
        sleep: (ms, signal) => clock.sleep(ms, signal),
      };
      const batches = new BatchClock({ clock: jumping, intervalMs: 100, last: undefined });
      await tick(clock, batches, 100);
      wall = jump;
      for (let beat = 2; beat < 20; beat++) {
        expect(await tick(clock, batches, 100)).toMatchObject({
          batchTime: START + beat * 100,
          coalesced: 0,
        });
      }
    },
  );

  it('goes on without a stall when it is restarted with the wall clock an hour back', async () => {
    const clock = new VirtualClock(START - 3_600_000);
    const batches = new BatchClock({ clock, intervalMs: 100, last: START });
    expect(await tick(clock, batches, 100)).toMatchObject({ batchTime: START + 100, coalesced: 0 });
  });

  it('stops waiting when it is told to', async () => {
    const clock = new VirtualClock(START);
    const batches = new BatchClock({ clock, intervalMs: 100, last: undefined });
    const stop = new AbortController();
    const waiting = batches.next(stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    expect(clock.pendingTimers).toBe(0);
  });

  it('gives strictly increasing multiples whose spans join, whatever the pauses', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 40 }), async (pauses) => {
        const clock = new VirtualClock(START + 7);
        const batches = new BatchClock({ clock, intervalMs: 100, last: undefined });
        let previous: number | undefined;
        for (const pause of pauses) {
          clock.advance(pause);
          const beat = await tick(clock, batches, 100);
          expect(beat.batchTime % 100).toBe(0);
          expect(beat.previous).toBe(previous);
          expect(beat.batchTime).toBeGreaterThan(previous ?? 0);
          expect(beat.coalesced).toBeLessThanOrEqual(Math.ceil((pause + 100) / 100));
          previous = beat.batchTime;
        }
      }),
      { numRuns: 50 },
    );
  });
});
