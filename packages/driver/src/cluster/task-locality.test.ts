import { describe, expect, it } from '@jest/globals';
import { SchedulerBench as Bench, consistent, taskSet } from './testing/scheduler-bench.ts';

describe('locality in the task scheduler', () => {
  it('returns a task to the slot that holds its consumer', () => {
    const bench = new Bench();
    bench.executor('e0', 3);
    bench.executor('e1', 3);
    const place = (): string[] =>
      bench.running.map(({ key, executorId, slot }) => `${key.partition}@${executorId}#${slot}`).toSorted();
    bench.do({ kind: 'set-submitted', set: taskSet(6, { prefer: consistent }) });
    const first = place();
    for (const launch of bench.running.toReversed()) bench.end(launch);
    bench.do({ kind: 'set-submitted', set: taskSet(6, { prefer: consistent, batchTime: 2000 }) });
    expect(place()).toEqual(first);
    bench.endAll();
    bench.assertIdle();
  });

  it('waits for a busy preferred slot until the locality wait is over, then takes any', () => {
    const bench = new Bench();
    bench.executor('e0', 2);
    bench.do({ kind: 'set-submitted', set: taskSet(1, { prefer: consistent }) });
    const home = bench.running[0]?.slot;
    bench.end(bench.running[0]);
    // Another application's long task takes the slot.
    bench.do({
      kind: 'set-submitted',
      set: { ...taskSet(2), key: { ...taskSet(1).key, application: 'other' } },
    });
    bench.end(bench.running.find(({ slot }) => slot !== home));
    bench.do({ kind: 'set-submitted', set: taskSet(1, { prefer: consistent, batchTime: 2000 }) });
    expect(bench.running.length).toBe(1);
    expect(bench.core.wakeAt(0)).toBe(1000);
    bench.now = 1000;
    bench.do({ kind: 'time-passed' });
    expect(bench.running.length).toBe(2);
    bench.endAll();
    bench.assertIdle();
  });

  it('takes any slot at once when the locality wait is zero', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.executor('e1', 3);
    bench.do({ kind: 'set-submitted', set: taskSet(4, { prefer: consistent, localityWaitMs: 0 }) });
    expect(bench.running.length).toBe(4);
  });
});
