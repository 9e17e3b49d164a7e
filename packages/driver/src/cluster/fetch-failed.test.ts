import { describe, expect, it } from '@jest/globals';
import { SchedulerBench as Bench, ended, failure, success, taskSet } from './testing/scheduler-bench.ts';

describe('FETCH_FAILED in the task scheduler', () => {
  it('ends a set at once, counting nothing, when a task cannot read what map tasks left; the next one has fresh attempts', () => {
    const bench = new Bench();
    bench.executor('e0', 2);
    bench.do({ kind: 'set-submitted', set: taskSet(2) });
    const [first, second] = bench.running;
    if (!first || !second) throw new Error('two tasks run');
    bench.end(first, failure('FETCH_FAILED'));
    expect(bench.reports('attempt-failed')).toEqual([]);
    expect(bench.reports('set-failed')).toMatchObject([
      { partition: first.key.partition, error: { code: 'FETCH_FAILED' } },
    ]);
    // What the other one says counts no more.
    bench.end(second);
    expect(bench.reports('task-succeeded')).toEqual([]);
    bench.do({ kind: 'set-submitted', set: taskSet(2) });
    expect(bench.running.map(({ key }) => key.attempt)).toEqual([1, 1]);
    bench.endAll();
    // A set that had succeeded is run again, in part: whoever submits it knows its attempts.
    bench.do({ kind: 'set-submitted', set: { ...taskSet(1), firstAttempt: 7 } });
    expect(bench.running.map(({ key }) => key.attempt)).toEqual([7]);
    bench.endAll();
    expect(bench.reports('task-succeeded')).toMatchObject([
      { attempt: 1, blockAddress: 'e0:1' },
      { attempt: 1 },
      { attempt: 7 },
    ]);
    bench.assertIdle();
  });

  it('does not end a set whose attempt was lost before', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.executor('e1', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(1) });
    const [first] = bench.running;
    if (!first) throw new Error('a task runs');
    bench.lose(first.executorId);
    bench.do(ended(first, failure('FETCH_FAILED')));
    const [again] = bench.running;
    if (!again) throw new Error('another attempt runs');
    bench.end(again, success);
    expect(bench.reports('set-failed')).toEqual([]);
    bench.assertIdle();
  });
});
