import { describe, expect, it } from '@jest/globals';
import { type ErrorCode, MillraceError } from '@millrace/common';
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

  const table: ReadonlyArray<[ErrorCode, boolean | undefined, 'once' | 'counted' | 'never']> = [
    ['VALUE_DECODE', undefined, 'once'],
    ['INTERNAL', undefined, 'once'],
    ['RESULT_TOO_LARGE', undefined, 'once'],
    ['KAFKA_UNREACHABLE', undefined, 'counted'],
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

  it('ends an attempt that its executor does not end in time', () => {
    const bench = new Bench();
    bench.executor('e0', 1);
    bench.do({ kind: 'set-submitted', set: taskSet(1, { taskTimeoutMs: 1000, attemptsMax: 1 }) });
    bench.now = 40_000;
    bench.do({ kind: 'time-passed' });
    expect(bench.reports('set-failed')).toMatchObject([{ error: { code: 'TASK_TIMEOUT' } }]);
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
