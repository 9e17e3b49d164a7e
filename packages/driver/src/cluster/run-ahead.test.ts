import { describe, expect, it } from '@jest/globals';
import type { TaskSet } from '../task-backend.ts';
import { RECALL_MS } from './run-ahead.ts';
import { consistent, failure, launches, SchedulerBench, taskSet } from './testing/scheduler-bench.ts';

const SET_OVER = Number.POSITIVE_INFINITY;

/** Four partitions whose consumers are at home in the only slot there is. */
const batch = (batchTime: number, more: Partial<TaskSet> = {}): TaskSet =>
  taskSet(4, { batchTime, prefer: consistent, ...more });

/** A bench that has run one batch: each of its tasks took `runMs`. */
function warm(runMs: number, slots = 1): SchedulerBench {
  const bench = new SchedulerBench();
  bench.executor('e0', slots);
  bench.do({ kind: 'set-submitted', set: batch(1000) });
  while (bench.running.length > 0) bench.end(bench.running[0], undefined, runMs);
  bench.assertIdle();
  return bench;
}

describe('run-ahead', () => {
  it('gives a slot one task at a time while nothing is known', () => {
    const bench = new SchedulerBench();
    bench.executor('e0', 1);
    expect(launches(bench.do({ kind: 'set-submitted', set: batch(1000) }))).toHaveLength(1);
  });

  it('gives a slot all short tasks of its own at once', () => {
    const bench = warm(1);
    expect(launches(bench.do({ kind: 'set-submitted', set: batch(2000) }))).toHaveLength(4);
    bench.endAll();
    expect(bench.reports('task-succeeded')).toHaveLength(8);
    bench.assertIdle();
  });

  it('stops where they would take more than 20 ms together', () => {
    const bench = warm(8);
    expect(launches(bench.do({ kind: 'set-submitted', set: batch(2000) }))).toHaveLength(2);
    expect(launches(bench.end(bench.running[0], undefined, 8))).toHaveLength(1);
  });

  it('sends none behind a long task, nor a long one behind another', () => {
    const bench = warm(25);
    expect(launches(bench.do({ kind: 'set-submitted', set: batch(2000) }))).toHaveLength(1);
  });

  it('expects a task with more to read to take longer', () => {
    const bench = warm(1);
    const { tasks, ...set } = batch(2000);
    const longer = { ...set, tasks: tasks.map((task) => ({ ...task, span: 1_000_000 })) };
    expect(launches(bench.do({ kind: 'set-submitted', set: longer }))).toHaveLength(1);
  });

  it('leaves no slot idle for it', () => {
    const bench = warm(1, 2);
    const launched = launches(bench.do({ kind: 'set-submitted', set: batch(2000) }));
    expect(launched).toHaveLength(4);
    expect(new Set(launched.map(({ slot }) => slot))).toEqual(new Set([0, 1]));
  });

  it('calls back what waits behind a task that takes long when another slot is free', () => {
    const bench = warm(1);
    bench.do({ kind: 'set-submitted', set: batch(2000) });
    const [first, ...waiting] = [...bench.running];
    bench.executor('e1', 1);
    bench.now += RECALL_MS;
    expect(bench.core.wakeAt(bench.now)).toBeLessThan(SET_OVER);
    const kills = bench.do({ kind: 'time-passed' });
    expect(kills).toEqual(
      waiting.map(({ key }) => expect.objectContaining({ kind: 'kill', key, onlyWaiting: true })),
    );
    // Once is enough.
    bench.now += RECALL_MS;
    expect(bench.do({ kind: 'time-passed' })).toEqual([]);
    // They run elsewhere, and coming back is no failure.
    for (const launch of waiting) bench.end(launch, failure('TASK_KILLED'));
    bench.now += 1000;
    bench.do({ kind: 'time-passed' });
    expect(bench.running.find(({ executorId }) => executorId === 'e1')).toBeDefined();
    bench.end(first);
    bench.endAll();
    expect(bench.reports('set-failed')).toEqual([]);
    expect(bench.reports('task-succeeded')).toHaveLength(8);
    bench.assertIdle();
  });

  it('runs what was called back wherever a slot is free, beside the long task, too', () => {
    const bench = warm(1);
    bench.do({ kind: 'set-submitted', set: batch(2000) });
    const [, second, third] = [...bench.running];
    bench.executor('e1', 1);
    bench.do({ kind: 'slots-ready', executorId: 'e0', ready: [0, 1] });
    bench.now += RECALL_MS;
    bench.do({ kind: 'time-passed' });
    const again = [second, third].flatMap((task) => launches(bench.end(task, failure('TASK_KILLED'))));
    expect(new Set(again.map(({ executorId, slot }) => `${executorId}#${slot}`))).toEqual(
      new Set(['e0#1', 'e1#0']),
    );
  });

  it('calls back what waits for the process of its slot, the last one, too', () => {
    const bench = warm(1);
    bench.do({ kind: 'set-submitted', set: batch(2000) });
    const [first, ...waiting] = [...bench.running];
    bench.executor('e1', 1);
    bench.do({ kind: 'slots-ready', executorId: 'e0', ready: [] });
    bench.end(first);
    const last = waiting.at(-1);
    for (const launch of waiting.slice(0, -1)) bench.end(launch);
    bench.now += RECALL_MS;
    const effects = bench.do({ kind: 'time-passed' });
    expect(effects).toEqual([expect.objectContaining({ kind: 'kill', key: last?.key, onlyWaiting: true })]);
    const [again] = launches(bench.end(last, failure('TASK_KILLED')));
    expect(again).toMatchObject({ executorId: 'e1' });
    bench.endAll();
    bench.assertIdle();
  });

  it('calls nothing back while no other slot is free', () => {
    const bench = warm(1);
    bench.do({ kind: 'set-submitted', set: batch(2000) });
    bench.now += 10 * RECALL_MS;
    expect(bench.do({ kind: 'time-passed' })).toEqual([]);
  });

  it('never takes a task for overdue that waits', () => {
    const bench = warm(1);
    bench.do({ kind: 'set-submitted', set: batch(2000, { taskTimeoutMs: 1000 }) });
    const [first, second] = [...bench.running];
    bench.now += 60_000;
    const effects = bench.do({ kind: 'time-passed' });
    const killed = effects.flatMap((effect) => (effect.kind === 'kill' ? [effect.key.partition] : []));
    expect(killed).toEqual([first?.key.partition]);
    // From its own beginning on it has its own time.
    bench.end(first, failure('TASK_TIMEOUT'));
    bench.now += 30_000;
    expect(bench.do({ kind: 'time-passed' }).filter(({ kind }) => kind === 'kill')).toEqual([]);
    expect(second).toBeDefined();
  });

  it('runs what waited on a lost executor on another one', () => {
    const bench = warm(1);
    bench.do({ kind: 'set-submitted', set: batch(2000) });
    bench.executor('e1', 1);
    bench.lose('e0');
    bench.endAll();
    expect(bench.reports('task-succeeded')).toHaveLength(8);
    bench.assertIdle();
  });

  it('kills what waits, too, when its set is cancelled', () => {
    const bench = warm(1);
    const set = batch(2000);
    bench.do({ kind: 'set-submitted', set });
    const effects = bench.do({ kind: 'set-cancelled', key: set.key });
    expect(effects.filter(({ kind }) => kind === 'kill')).toHaveLength(4);
    while (bench.running.length > 0) bench.end(bench.running[0], failure('TASK_KILLED'));
    bench.assertIdle();
  });

  describe('of tasks that are at home nowhere', () => {
    /** Two executors of one slot each have run one batch of them. */
    function warmAnywhere(runMs: number, span = 0): SchedulerBench {
      const bench = new SchedulerBench();
      bench.executor('e0', 1);
      bench.executor('e1', 1);
      bench.do({ kind: 'set-submitted', set: homeless(1000, 2, span) });
      while (bench.running.length > 0) bench.end(bench.running[0], undefined, runMs);
      return bench;
    }
    const homeless = (batchTime: number, partitions: number, span = 0): TaskSet => {
      const { tasks, ...set } = taskSet(partitions, { batchTime });
      return { ...set, tasks: tasks.map((task) => ({ ...task, span })) };
    };
    const perExecutor = (bench: SchedulerBench): number[] =>
      ['e0', 'e1'].map((id) => bench.running.filter(({ executorId }) => executorId === id).length);

    it('gives slots short ones at once, to each as many', () => {
      const bench = warmAnywhere(1);
      bench.do({ kind: 'set-submitted', set: homeless(2000, 6) });
      expect(perExecutor(bench)).toEqual([3, 3]);
      bench.endAll();
      expect(bench.reports('task-succeeded')).toHaveLength(8);
      bench.assertIdle();
    });

    it('puts none behind another one while a slot is free', () => {
      const bench = warmAnywhere(1);
      bench.executor('e2', 4);
      bench.do({ kind: 'set-submitted', set: homeless(2000, 6) });
      expect(new Set(bench.running.map(({ executorId, slot }) => `${executorId}#${slot}`)).size).toBe(6);
    });

    it('leaves the rest to whoever ends next while nothing is known', () => {
      const bench = warmAnywhere(1);
      const set = { ...homeless(2000, 8), key: { ...homeless(2000, 8).key, stageId: 1 } };
      bench.do({ kind: 'set-submitted', set });
      expect(perExecutor(bench)).toEqual([1, 1]);
      bench.end(bench.running[0], undefined, 1);
      bench.end(bench.running[0], undefined, 1);
      expect(perExecutor(bench)).toEqual([2, 2]);
      bench.endAll();
      bench.assertIdle();
    });

    it('sends more as others end, and never long ones', () => {
      const bench = warmAnywhere(8);
      bench.do({ kind: 'set-submitted', set: homeless(2000, 6) });
      expect(perExecutor(bench)).toEqual([2, 2]);
      expect(launches(bench.end(bench.running[0], undefined, 8))).toHaveLength(1);
      bench.endAll();
      const long = warmAnywhere(25);
      long.do({ kind: 'set-submitted', set: homeless(2000, 6) });
      expect(perExecutor(long)).toEqual([1, 1]);
    });

    it('expects those with more to read to take longer', () => {
      const bench = warmAnywhere(1, 100);
      bench.do({ kind: 'set-submitted', set: homeless(2000, 6, 3000) });
      expect(perExecutor(bench)).toEqual([1, 1]);
    });

    it('leaves slots of executors that leave, or are not ready, alone', () => {
      const bench = warmAnywhere(1);
      bench.do({ kind: 'executor-draining', executorId: 'e0' });
      bench.do({ kind: 'set-submitted', set: homeless(2000, 4) });
      expect(perExecutor(bench)).toEqual([0, 4]);
    });
  });
});
