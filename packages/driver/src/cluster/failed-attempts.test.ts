import { describe, expect, it } from '@jest/globals';
import type { ErrorCode } from '@millrace/common';
import { SchedulerBench as Bench, consistent, failure, taskSet } from './testing/scheduler-bench.ts';

describe('failed attempts in the task scheduler', () => {
  it('makes the attempts that a task may have, each elsewhere, then fails the set and kills the rest', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.executor('e1', 1);
    bench.executor('e2', 1);
    bench.executor('e3', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(2, { attemptsMax: 3, prefer: consistent }) });
    const places: string[] = [];
    for (let attempt = 0; attempt < 3; attempt++) {
      const launch = bench.running.find(({ key }) => key.partition === 0);
      expect(launch?.key.attempt).toBe(attempt);
      places.push(launch?.executorId ?? '');
      bench.end(launch, failure('USER_CODE', false));
    }
    expect(new Set(places).size).toBe(3);
    expect(bench.reports('attempt-failed').length).toBe(2);
    expect(bench.reports('set-failed')).toMatchObject([{ partition: 0, error: { code: 'USER_CODE' } }]);
    expect(bench.effects.filter(({ kind }) => kind === 'kill')).toMatchObject([{ key: { partition: 1 } }]);
    bench.end(bench.running[0], failure('TASK_KILLED'));
    expect(bench.reports('task-succeeded')).toEqual([]);
    bench.assertIdle();
  });

  it('retries on another slot, or on the same one, when there is no other executor', () => {
    for (const slots of [1, 2]) {
      const bench = new Bench();
      bench.executor('e0', slots);
      bench.do({ kind: 'set-submitted', set: taskSet(1, { prefer: consistent }) });
      const first = bench.running[0];
      bench.end(first, failure('SLOT_LOST'));
      expect(bench.running.length).toBe(1);
      expect(bench.running[0]?.slot === first?.slot).toBe(slots === 1);
    }
  });

  it('waits for the other executor to be free, but not for longer than the locality wait', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.executor('e1', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(2) });
    const launch = bench.running.find(({ executorId }) => executorId === 'e0');
    bench.end(launch, failure('USER_CODE'));
    expect(bench.running.length).toBe(1);
    expect(bench.core.wakeAt(bench.now)).toBe(1000);
    bench.now = 1000;
    bench.do({ kind: 'time-passed' });
    expect(bench.running.map(({ executorId }) => executorId).toSorted()).toEqual(['e0', 'e1']);
    bench.endAll();
    bench.assertIdle();
  });

  it.each<ErrorCode>(['KAFKA_UNREACHABLE', 'LEADER_CHANGED', 'NOT_ENOUGH_REPLICAS'])(
    'tries again and again when Kafka is away (%s), with a pause, and gives up when it was for as long as the job says',
    (code) => {
      const bench = new Bench();
      bench.executor('e0', 1);
      bench.do({ kind: 'set-submitted', set: taskSet(1, { kafkaTimeoutMs: 60_000 }) });
      for (let at = 10_000; at < 70_000; at += 10_000) {
        bench.now = at;
        bench.end(bench.running[0], failure(code));
        bench.now = at + 999;
        bench.do({ kind: 'time-passed' });
        expect(bench.running).toEqual([]);
        expect(bench.core.wakeAt(bench.now)).toBe(at + 1_000);
        bench.now = at + 1_000;
        bench.do({ kind: 'time-passed' });
      }
      bench.now = 70_000;
      bench.end(bench.running[0], failure(code));
      expect(bench.reports('set-failed')).toMatchObject([
        {
          error: {
            code,
            what: expect.stringContaining('has waited for Kafka for 60 s'),
            remedy: expect.stringContaining('raise the job option kafkaTimeout'),
          },
        },
      ]);
      bench.assertIdle();
    },
  );

  it('counts what fails otherwise while Kafka is away', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(1, { attemptsMax: 2 }) });
    for (const code of ['KAFKA_UNREACHABLE', 'USER_CODE', 'KAFKA_UNREACHABLE', 'USER_CODE'] as const) {
      bench.end(bench.running[0], failure(code));
      bench.now += 1_000;
      bench.do({ kind: 'time-passed' });
    }
    expect(bench.reports('set-failed')).toMatchObject([{ error: { code: 'USER_CODE' } }]);
    bench.assertIdle();
  });

  it('leaves the slot to others while a task pauses, and forgets it when its set is cancelled', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    const set = taskSet(2);
    bench.do({ kind: 'set-submitted', set });
    bench.end(bench.running[0], failure('KAFKA_UNREACHABLE'));
    expect(bench.running.map(({ key }) => key.partition)).toEqual([1]);
    bench.end(bench.running[0]);
    bench.do({ kind: 'set-cancelled', key: set.key });
    bench.assertIdle();
  });

  const table: ReadonlyArray<[ErrorCode, boolean | undefined, 'once' | 'counted' | 'never']> = [
    ['VALUE_DECODE', undefined, 'once'],
    ['INTERNAL', undefined, 'once'],
    ['RESULT_TOO_LARGE', undefined, 'once'],
    ['KAFKA_PROTOCOL', undefined, 'counted'],
    ['USER_CODE', false, 'counted'],
    ['TASK_OOM', undefined, 'counted'],
    ['TASK_TIMEOUT', undefined, 'counted'],
    ['SLOT_LOST', undefined, 'counted'],
    ['EXECUTOR_LOST', undefined, 'never'],
    ['TASK_KILLED', undefined, 'never'],
    ['CANCELLED', undefined, 'never'],
  ];
  it.each(table)('a failure %s (retryable: %s) fails a set: %s', (code, retryable, when) => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(1, { attemptsMax: 4 }) });
    let ends = 0;
    while (bench.running[0] && ends < 10) {
      bench.end(bench.running[0], failure(code, retryable));
      ends++;
    }
    expect(ends).toBe({ once: 1, counted: 4, never: 10 }[when]);
  });

  it('ends an attempt that its executor does not end in time', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(1, { taskTimeoutMs: 1000, attemptsMax: 1 }) });
    bench.now = 40_000;
    bench.do({ kind: 'time-passed' });
    expect(bench.reports('set-failed')).toMatchObject([{ error: { code: 'TASK_TIMEOUT' } }]);
  });
});
