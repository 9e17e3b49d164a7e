import { describe, expect, it } from '@jest/globals';
import { MillraceError, silentLogger } from '@millrace/common';
import { VirtualClock } from '../../../testing/src/virtual-clock.ts';
import type { TaskEvent, TaskSet } from '../task-backend.ts';
import type { RemoteResult, SchedulerEffect } from './scheduler-messages.ts';
import { assertNoLeaks, TaskScheduler } from './task-scheduler.ts';

type Launch = Extract<SchedulerEffect, { kind: 'launch' }>;
const NONE = new Uint8Array();
const METRICS = { records: 0, bytes: 0, queueMs: 0, runMs: 0, fetchMs: 0, consumerCached: false };

function taskSet(tasks: number, batchTime = 1): TaskSet {
  return {
    key: { application: 'app', epoch: 1, batchTime, jobId: 0, stageId: 0 },
    programHash: 'p',
    stage: NONE,
    tasks: Array.from({ length: tasks }, (_, partition) => ({
      partition,
      preference: { kind: 'consistent', key: `t-${partition}`, affinity: `t-${partition}` },
      task: NONE,
      span: 0,
      describes: '',
    })),
    attemptsMax: 2,
    taskTimeoutMs: 60_000,
    kafkaTimeoutMs: 600_000,
    localityWaitMs: 500,
  };
}

function bench(fetchResult: (block: RemoteResult) => Promise<Uint8Array> = () => Promise.resolve(NONE)) {
  const clock = new VirtualClock();
  const launched: Launch[] = [];
  const dropped: string[] = [];
  const events: TaskEvent[] = [];
  const scheduler = new TaskScheduler({
    clock,
    logger: silentLogger,
    fetchResult,
    executors: {
      launch: (launch) => void launched.push(launch),
      kill: () => undefined,
      dropShuffle: () => undefined,
      dropBlock: (_executor, blockId) => void dropped.push(blockId),
      prefetch: () => undefined,
      flush: () => undefined,
    },
  });
  scheduler.attach('app', (event) => events.push(event));
  const join = (executorId: string, ready: readonly number[]): void => {
    scheduler.handle({ kind: 'executor-joined', executorId, host: 'h' });
    scheduler.handle({ kind: 'slots-ready', executorId, ready });
  };
  const end = (
    launch: Launch | undefined,
    outcome: Extract<Parameters<TaskScheduler['handle']>[0], { kind: 'attempt-ended' }>['end']['outcome'] = {
      kind: 'result',
      result: NONE,
    },
  ): void => {
    if (!launch) throw new Error('nothing was launched');
    const { executorId, slot, key } = launch;
    scheduler.handle({
      kind: 'attempt-ended',
      end: { executorId, blockAddress: 'h:1', slot, key, outcome, accumulators: NONE, metrics: METRICS },
    });
  };
  return { clock, scheduler, launched, dropped, events, join, end };
}

describe('TaskScheduler', () => {
  it('wakes by its clock when the locality wait is over', () => {
    const { clock, scheduler, launched, join, end } = bench();
    join('e0', [0]);
    join('e1', [0]);
    scheduler.submit(taskSet(4));
    expect(launched.length).toBe(2);
    const [first] = launched;
    const stays = launched[1];
    end(first);
    end(launched[2]);
    expect(launched.length).toBe(3);
    clock.advance(499);
    expect(launched.length).toBe(3);
    clock.advance(1);
    expect(launched.length).toBe(4);
    end(launched[3]);
    end(stays);
    assertNoLeaks(scheduler);
    clock.advance(60_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('says how many slots there are, whenever that changes', () => {
    const { scheduler, join } = bench();
    const heard: number[] = [];
    scheduler.onSlots((slots) => heard.push(slots));
    join('e0', [0, 1]);
    join('e1', [0]);
    scheduler.handle({ kind: 'slots-ready', executorId: 'e0', ready: [1] });
    scheduler.handle({ kind: 'executor-draining', executorId: 'e1' });
    const error = MillraceError.toRecord(new MillraceError('EXECUTOR_LOST', 'gone'));
    scheduler.handle({ kind: 'executor-lost', executorId: 'e0', error });
    expect(heard).toEqual([2, 3, 2, 1, 0]);
  });

  it('fetches large results, and makes another attempt when one is lost', async () => {
    let fetches = 0;
    const { scheduler, launched, dropped, events, join, end } = bench(() =>
      ++fetches === 1
        ? Promise.reject(new MillraceError('BLOCK_MISSING', 'gone'))
        : Promise.resolve(new Uint8Array(9)),
    );
    join('e0', [0]);
    scheduler.submit(taskSet(1));
    for (const attempt of [0, 1]) {
      end(launched[attempt], {
        kind: 'remote-result',
        block: { blockId: `b${attempt}`, bytes: 9, address: 'h:1' },
      });
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
    expect(events.map(({ kind }) => kind)).toEqual(['attempt-failed', 'task-succeeded']);
    expect(dropped).toEqual(['b0', 'b1']);
    assertNoLeaks(scheduler);
  });

  it('fails a set that it cannot take, and goes on', () => {
    const { scheduler, events } = bench();
    scheduler.submit(taskSet(1));
    scheduler.submit(taskSet(1));
    expect(events).toMatchObject([{ kind: 'set-failed', error: { code: 'INTERNAL' } }]);
    expect(() => assertNoLeaks(scheduler)).toThrow(/still holds/);
    scheduler.detach('app');
    assertNoLeaks(scheduler);
  });

  it('refuses a task that fits in no message, before it costs an executor', () => {
    const { scheduler, events, launched, join } = bench();
    join('e0', [0]);
    scheduler.submit({ ...taskSet(1), stage: new Uint8Array(64 * 1024 * 1024) });
    expect(events).toMatchObject([{ kind: 'set-failed', error: { code: 'MESSAGE_TOO_LARGE' } }]);
    expect(launched).toEqual([]);
    assertNoLeaks(scheduler);
  });

  it('costs less than 0.3 ms a task: 1,000 partitions on 100 executors', () => {
    const { scheduler, launched, events, join, end } = bench();
    for (let index = 0; index < 100; index++) join(`e${index}`, [0, 1]);
    const batch = (batchTime: number): number => {
      const startedAt = performance.now();
      scheduler.submit(taskSet(1000, batchTime));
      while (launched.length > 0) end(launched.pop());
      return (performance.now() - startedAt) / 1000;
    };
    batch(1);
    // The quickest of ten: the others may have been interrupted by other work of the machine.
    const quickest = Math.min(...Array.from({ length: 10 }, (_, index) => batch(index + 2)));
    expect(events.length).toBe(11_000);
    expect(quickest).toBeLessThan(0.3);
    assertNoLeaks(scheduler);
  });
});
