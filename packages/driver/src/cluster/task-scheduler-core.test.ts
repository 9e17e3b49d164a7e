import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import {
  anywhere,
  SchedulerBench as Bench,
  consistent,
  ended,
  failure,
  type Launch,
  launches,
  success,
  taskSet,
} from './testing/scheduler-bench.ts';

const NONE = new Uint8Array();

describe('TaskSchedulerCore', () => {
  it('runs every task once and reports each success', () => {
    const bench = new Bench();
    bench.executor('e0', 2);
    bench.do({ kind: 'set-submitted', set: taskSet(5) });
    expect(bench.running.length).toBe(2);
    bench.endAll();
    expect(bench.reports('task-succeeded').length).toBe(5);
    bench.assertIdle();
  });

  it('serves sets first in, first out', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(2, { batchTime: 1000 }) });
    bench.do({ kind: 'set-submitted', set: taskSet(1, { batchTime: 2000 }) });
    const order: number[] = [];
    while (bench.running[0]) {
      order.push(bench.running[0].key.batchTime);
      bench.end(bench.running[0]);
    }
    expect(order).toEqual([1000, 1000, 2000]);
  });

  it('waits, without counting anything, while there is no executor', () => {
    const bench = new Bench();
    bench.do({ kind: 'set-submitted', set: taskSet(2, { prefer: consistent }) });
    bench.now = 3_600_000;
    bench.do({ kind: 'time-passed' });
    bench.executor('e0', 2);
    expect(bench.running.length).toBe(2);
    bench.endAll();
    bench.assertIdle();
  });

  it('ignores results of unknown and of repeated attempts', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(1) });
    const launch = bench.running[0];
    if (!launch) throw new Error('nothing was launched');
    bench.do(ended({ ...launch, key: { ...launch.key, attempt: 5 } }, success));
    bench.do(ended({ ...launch, key: { ...launch.key, epoch: 0 } }, success));
    bench.do(ended({ ...launch, slot: 3 }, success));
    bench.do(ended({ ...launch, executorId: 'other' }, success));
    expect(bench.reports('task-succeeded')).toEqual([]);
    bench.end(launch);
    bench.do(ended(launch, success));
    expect(bench.reports('task-succeeded').length).toBe(1);
    bench.assertIdle();
  });

  it('cancels: kills what runs, reports nothing more, and gives the slots back when they end', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    const set = taskSet(2);
    bench.do({ kind: 'set-submitted', set });
    const kills = bench.do({ kind: 'set-cancelled', key: set.key });
    expect(kills).toMatchObject([{ kind: 'kill', key: { partition: 0, attempt: 0 } }]);
    expect(bench.do({ kind: 'set-cancelled', key: set.key })).toEqual([]);
    bench.do({ kind: 'set-submitted', set });
    expect(bench.running.length).toBe(1);
    const again = bench.end(bench.running[0], success);
    // A set of the same key goes on counting attempts, so that the killed one's late result fits nobody.
    expect(launches(again)).toMatchObject([{ key: { partition: 0, attempt: 1 } }]);
    expect(bench.reports('task-succeeded')).toEqual([]);
    bench.endAll();
    expect(bench.reports('task-succeeded').length).toBe(2);
    bench.assertIdle();
  });

  it('drops the task sets of older epochs only', () => {
    const bench = new Bench();
    bench.executor('e0', 2);
    bench.do({ kind: 'set-submitted', set: taskSet(1, { epoch: 1 }) });
    bench.do({ kind: 'set-submitted', set: taskSet(1, { epoch: 2 }) });
    const effects = bench.do({ kind: 'application-dropped', application: 'app', belowEpoch: 2 });
    expect(effects).toMatchObject([{ kind: 'kill', key: { epoch: 1 } }]);
    // Executors do not report dropped attempts: their slots are free at once.
    expect(bench.core.counts.running).toBe(1);
    bench.endAll();
    expect(bench.reports('task-succeeded')).toMatchObject([{ key: { epoch: 2 } }]);
  });

  it('fetches a large result, drops its block, and frees the slot meanwhile', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(2) });
    const launch = bench.running[0];
    const block = { blockId: 'b', bytes: 2_000_000, address: 'h:1' };
    const effects = bench.end(launch, { kind: 'remote-result', block });
    expect(effects.map(({ kind }) => kind)).toEqual(['fetch-result', 'launch']);
    if (!launch) return;
    const done = bench.do({ kind: 'result-fetched', key: launch.key, result: new Uint8Array(3) });
    expect(done).toMatchObject([{ kind: 'drop-block', blockId: 'b' }, { kind: 'report' }]);
    expect(bench.do({ kind: 'result-fetched', key: launch.key, result: NONE })).toEqual([]);
    bench.endAll();
    bench.assertIdle();
  });

  it('refuses a set that runs already', () => {
    const bench = new Bench();
    bench.do({ kind: 'set-submitted', set: taskSet(1) });
    expect(() => bench.do({ kind: 'set-submitted', set: taskSet(1) })).toThrow(/submitted while it runs/);
  });

  it('finishes whatever happens: exactly one success a partition, or one failure of the set', () => {
    const step = fc.record({ what: fc.nat(9), which: fc.nat(7) });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 1, max: 3 }),
        (steps, attemptsMax) => {
          const bench = new Bench();
          const done = new Map<string, number>();
          let submitted = 0;
          let joined = 0;
          const pick = (which: number): Launch | undefined =>
            bench.running[which % Math.max(1, bench.running.length)];
          for (const { what, which } of steps) {
            bench.now += 200;
            if (what === 0) bench.executor(`e${joined++}`, 1 + (which % 3), `h${which % 2}`);
            else if (what <= 2) {
              submitted++;
              const prefer = which % 2 === 0 ? consistent : anywhere;
              bench.do({
                kind: 'set-submitted',
                set: taskSet(1 + which, { batchTime: submitted, attemptsMax, prefer }),
              });
            } else if (what === 3 && joined > 0) bench.lose(`e${which % joined}`);
            else if (what === 4 && bench.running.length > 0)
              bench.end(pick(which), failure(which === 0 ? 'TASK_REFUSED' : 'USER_CODE'));
            else if (what === 5) bench.do({ kind: 'time-passed' });
            else if (what === 6)
              bench.do({
                kind: 'slots-ready',
                executorId: `e${which % Math.max(1, joined)}`,
                ready: which % 2 === 0 ? [] : [0, 1],
              });
            else if (bench.running.length > 0) bench.end(pick(which));
          }
          bench.executor('last', 2);
          for (let round = 0; round < 500 && bench.core.counts.sets > 0; round++) {
            bench.now += 1000;
            bench.do({ kind: 'time-passed' });
            bench.endAll();
          }
          bench.endAll();
          for (const effect of bench.effects) {
            if (effect.kind !== 'report' || effect.event.kind === 'attempt-failed') continue;
            const { event } = effect;
            const name =
              event.kind === 'set-failed'
                ? `${event.key.batchTime}`
                : `${event.key.batchTime}/${event.partition}`;
            done.set(name, (done.get(name) ?? 0) + 1);
          }
          expect([...done.values()].every((count) => count === 1)).toBe(true);
          bench.assertIdle();
        },
      ),
      { numRuns: 150 },
    );
  });
});
