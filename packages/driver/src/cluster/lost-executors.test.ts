import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import {
  SchedulerBench as Bench,
  consistent,
  ended,
  failure,
  success,
  taskSet,
} from './testing/scheduler-bench.ts';

describe('executors that are lost or leave, in the task scheduler', () => {
  it('never counts lost executors, and gives up only when a task is driven in circles', () => {
    const bench = new Bench();
    bench.do({ kind: 'set-submitted', set: taskSet(1, { attemptsMax: 1 }) });
    for (let round = 0; round < 99; round++) {
      bench.executor(`e${round}`, 1);
      bench.lose(`e${round}`);
    }
    expect(bench.reports('set-failed')).toEqual([]);
    bench.executor('last', 1);
    bench.endAll();
    expect(bench.reports('task-succeeded')).toMatchObject([{ attempt: 99, executorId: 'last' }]);
    bench.assertIdle();
  });

  it('reruns elsewhere what ran on a lost executor, and ignores its late results', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.executor('e1', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(2, { prefer: consistent }) });
    const lost = bench.running.find(({ executorId }) => executorId === 'e0');
    bench.lose('e0');
    if (lost) bench.do(ended(lost, success));
    expect(bench.reports('task-succeeded')).toEqual([]);
    bench.endAll();
    expect(bench.reports('task-succeeded').length).toBe(2);
    bench.assertIdle();
  });

  it('re-homes what waits for an executor that is lost or drains', () => {
    for (const kind of ['lost', 'draining'] as const) {
      const bench = new Bench();
      bench.executor('e0', 1);
      bench.executor('e1', 1);
      bench.do({ kind: 'set-submitted', set: taskSet(6, { prefer: consistent, localityWaitMs: 3_600_000 }) });
      if (kind === 'lost') bench.lose('e0');
      else bench.do({ kind: 'executor-draining', executorId: 'e0' });
      const late = bench.running.find(({ executorId }) => executorId === 'e0');
      if (late) bench.end(late);
      while (bench.running[0]) {
        expect(bench.running[0].executorId).toBe('e1');
        bench.end(bench.running[0]);
      }
      expect(bench.reports('task-succeeded').length).toBe(6);
      bench.assertIdle();
    }
  });

  it('blames nobody for what an executor refuses because it is leaving: it runs elsewhere, at once, and no failure is told', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.executor('e1', 2);
    bench.do({
      kind: 'set-submitted',
      set: taskSet(4, { prefer: consistent, attemptsMax: 1, localityWaitMs: 3_600_000 }),
    });
    const refused = bench.running.find(({ executorId }) => executorId === 'e0');
    bench.end(refused, failure('TASK_REFUSED'));
    while (bench.running[0]) {
      expect(bench.running[0].executorId).toBe('e1');
      bench.end(bench.running[0]);
    }
    expect(bench.reports('task-succeeded').length).toBe(4);
    expect([...bench.reports('attempt-failed'), ...bench.reports('set-failed')]).toEqual([]);
    bench.assertIdle();
  });

  it('tells no failure of what was launched while its executor left', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.executor('e1', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(2, { attemptsMax: 1 }) });
    bench.lose('e0', 'TASK_REFUSED');
    bench.endAll();
    expect(bench.reports('task-succeeded').length).toBe(2);
    expect(bench.reports('attempt-failed')).toEqual([]);
    bench.assertIdle();
  });

  it('waits for another executor when the only one refuses', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(1, { attemptsMax: 1 }) });
    bench.end(bench.running[0], failure('TASK_REFUSED'));
    expect(bench.running).toEqual([]);
    bench.lose('e0');
    // The same one, attached anew, is another one.
    bench.executor('e0', 1);
    expect(bench.running).toMatchObject([{ executorId: 'e0', key: { attempt: 1 } }]);
    bench.endAll();
    expect(bench.reports('attempt-failed')).toEqual([]);
    bench.assertIdle();
  });

  it('does not count a large result that is lost with its executor', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(1, { attemptsMax: 1 }) });
    const launch = bench.running[0];
    bench.end(launch, { kind: 'remote-result', block: { blockId: 'b', bytes: 1, address: 'h:1' } });
    bench.lose('e0');
    const error = MillraceError.toRecord(new MillraceError('DEADLINE_EXCEEDED', 'no answer'));
    if (launch) bench.do({ kind: 'result-lost', key: launch.key, error });
    bench.executor('e1', 1);
    bench.endAll();
    expect(bench.reports('task-succeeded').length).toBe(1);
    bench.assertIdle();
  });
});
