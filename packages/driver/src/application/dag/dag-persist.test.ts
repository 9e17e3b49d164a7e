import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import type { PersistedNode, RddNode, StateCall } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { decodeStage, decodeTask } from '@millrace/proto/task';
import { VirtualClock } from '../../../../testing/src/virtual-clock.ts';
import type { TaskSet } from '../../task-backend.ts';
import type { StateKeeper } from '../state/state-keeper.ts';
import { dagBench } from '../testing/dag-bench.ts';
import { merge, operator, rows, shuffle } from '../testing/datasets.ts';
import { mapOutput } from '../testing/fake-backend.ts';
import { settle } from '../testing/pump.ts';

const collect = { kind: 'collect', functions: [], numbers: [], place: 'job.ts:7:7' } as const;
const persisted = (parent: RddNode, level: PersistedNode['level'] = 'MEMORY_AND_DISK'): PersistedNode => ({
  kind: 'persisted',
  parent,
  level,
  place: 'job.ts:5:5',
});
const bytes = (value: number): Uint8Array => Uint8Array.of(value);

const fetchFailed = (
  set: TaskSet,
  executorId: string,
  details: Readonly<Record<string, string | boolean>> = {},
) => ({
  kind: 'set-failed' as const,
  key: set.key,
  partition: 0,
  error: MillraceError.toRecord(
    new MillraceError('FETCH_FAILED', 'gone', { details: { executorId, ...details } }),
  ),
});

/** A scheduler whose tasks run where and when the test says. */
function bench() {
  const made = dagBench(new VirtualClock());
  const { dag, backend } = made;
  let at = 0;
  /** "storeWrite 0,1": sets that were submitted since the last look. */
  const news = (): string[] => {
    const sets = backend.sets.slice(at);
    at = backend.sets.length;
    return sets.map(
      (set) => `${decodeStage(set.stage).action.kind} ${set.tasks.map(({ partition }) => partition).join()}`,
    );
  };
  const last = (back = 0): TaskSet => backend.sets.at(-1 - back) as TaskSet;
  const store = (set: TaskSet, executors: readonly string[], size = 7): void => {
    for (const [index, { partition }] of set.tasks.entries())
      backend.succeed(set, partition, mapOutput([size]), 1, bytes(1), {
        executorId: executors[index] ?? 'e1',
      });
  };
  const answer = (set: TaskSet): void => {
    for (const { partition } of set.tasks) backend.succeed(set, partition, bytes(partition), 0);
  };
  const nextBatch = (time: number): void => {
    dag.endBatch();
    dag.beginBatch(time);
  };
  const run = (node: RddNode, partitions?: readonly number[]) => {
    const result = dag.run({ node, action: collect, ...(partitions ? { partitions } : {}) });
    result.catch(() => undefined);
    return result;
  };
  return { ...made, news, last, store, answer, nextBatch, run };
}

describe('persisted datasets in the DAG scheduler', () => {
  it('outlive their batch, and know where their partitions are', async () => {
    const { run, news, last, store, answer, nextBatch, backend } = bench();
    const kept = persisted(rows([1], [2], []));
    const first = run(operator(kept, 'map'));
    expect(news()).toEqual(['storeWrite 0,1']);
    expect(last().tasks.map(({ preference }) => preference)).toMatchObject([
      { kind: 'consistent', key: 'stored/0' },
      { kind: 'consistent', key: 'stored/1' },
    ]);
    store(last(), ['e1', 'e2']);
    expect(news()).toEqual(['collect 0,1']);
    answer(last());
    // The empty one needs no task.
    expect(await first).toHaveLength(3);
    nextBatch(200);
    const second = run(kept);
    expect(news()).toEqual(['collect 0,1']);
    expect(last().tasks.map(({ preference }) => preference)).toMatchObject([
      { kind: 'executor', executorId: 'e1' },
      { kind: 'executor', executorId: 'e2' },
    ]);
    const { pipelines } = decodeStage(last().stage);
    expect(pipelines).toMatchObject([{ source: { kind: 'stored' }, operators: [] }]);
    expect(decodeTask(last().tasks[1]?.task as Uint8Array).input).toMatchObject({
      kind: 'shuffle',
      blocks: [{ executorId: 'e2', directory: 'a/4/kept-1/100/1/1', mapPartition: 1, bucket: 0, bytes: 7 }],
    });
    answer(last());
    await second;
    expect(backend.droppedShuffles).toEqual([]);
  });

  it('compute only what is read of them', async () => {
    const { run, news, last, store, answer } = bench();
    const kept = persisted(rows([1], [2], [3]));
    const take = run(kept, [1]);
    expect(news()).toEqual(['storeWrite 1']);
    store(last(), ['e1']);
    answer(last());
    await take;
    news();
    const all = run(kept);
    expect(news()).toEqual(['storeWrite 0,2']);
    store(last(), ['e1', 'e2']);
    expect(news()).toEqual(['collect 0,1,2']);
    answer(last());
    await all;
  });

  it('are computed again where they are lost, batches later, through shuffles that are gone, and counted once', async () => {
    const { run, news, last, store, answer, nextBatch, backend, applied } = bench();
    const kept = persisted(operator(shuffle(rows([1], [2]), 3), 'group'));
    const first = run(kept);
    for (const { partition } of last().tasks)
      backend.succeed(last(), partition, mapOutput([4, 4, 0]), 1, bytes(1), { executorId: 'e1' });
    expect(news()).toEqual(['shuffleWrite 0,1', 'storeWrite 0,1']);
    store(last(), ['e1', 'e2']);
    answer(last());
    await first;
    expect(applied).toHaveLength(6);
    nextBatch(200);
    nextBatch(300);
    news();
    const second = run(operator(kept, 'map'));
    expect(news()).toEqual(['collect 0,1']);
    backend.emit(fetchFailed(last(), 'e2'));
    // Partition 1 only; its shuffle was that of batch 100.
    expect(news()).toEqual(['shuffleWrite 0,1']);
    for (const { partition } of last().tasks)
      backend.succeed(last(), partition, mapOutput([4, 4, 0]), 1, bytes(1), { executorId: 'e3' });
    expect(news()).toEqual(['storeWrite 1']);
    store(last(), ['e3']);
    expect(news()).toEqual(['collect 0,1']);
    answer(last());
    await second;
    // Two results more, and nothing of what ran again.
    expect(applied).toHaveLength(8);
    const third = run(kept);
    expect(last().tasks.map(({ preference }) => preference)).toMatchObject([
      { executorId: 'e1' },
      { executorId: 'e3' },
    ]);
    answer(last());
    await third;
  });

  it('are computed by the job that waits when the one that was at it cannot even begin', async () => {
    const { run, news, store, answer, last, backend } = bench();
    const large = { hash: 'h', bytes: new Uint8Array(100_000), place: 'job.ts:1:1', broadcastIds: [] };
    const call = { kind: 'map', functions: [large], numbers: [], place: 'job.ts:1:1' } as const;
    const kept = persisted({ kind: 'operator', parent: rows([1]), operator: call });
    backend.putBlobResult = Promise.reject(new MillraceError('KAFKA_UNREACHABLE', 'no room'));
    const one = run(kept);
    backend.putBlobResult = Promise.resolve();
    const another = run(kept);
    await expect(one).rejects.toMatchObject({ what: 'no room' });
    await settle();
    expect(news()).toEqual(['storeWrite 0']);
    store(last(), ['e1']);
    answer(last());
    await another;
  });

  it('wait for another job that is at it already, whatever it still has to do for it', async () => {
    const { run, news, last, store, answer, backend } = bench();
    const kept = persisted(shuffle(rows([1], [2]), 2));
    const one = run(operator(kept, 'map'));
    const another = run(operator(kept, 'filter'));
    expect(news()).toEqual(['shuffleWrite 0,1']);
    for (const { partition } of last().tasks)
      backend.succeed(last(), partition, mapOutput([4, 4]), 1, bytes(1), { executorId: 'e1' });
    expect(news()).toEqual(['storeWrite 0,1']);
    store(last(), ['e1', 'e2']);
    expect(news()).toEqual(['collect 0,1', 'collect 0,1']);
    answer(last());
    answer(last(1));
    await Promise.all([one, another]);
  });

  it('are taken over from a job that fails', async () => {
    const { run, news, last, store, answer, backend } = bench();
    const kept = persisted(rows([1], [2]));
    const one = run(kept);
    const another = run(operator(kept, 'filter'));
    expect(news()).toEqual(['storeWrite 0,1']);
    const set = last();
    backend.succeed(set, 1, mapOutput([7]), 1, bytes(1), { executorId: 'e1' });
    const error = MillraceError.toRecord(new MillraceError('USER_CODE', 'no'));
    backend.emit({ kind: 'set-failed', key: set.key, partition: 0, error });
    await expect(one).rejects.toMatchObject({ code: 'USER_CODE' });
    // What was stored stays.
    expect(news()).toEqual(['storeWrite 0']);
    store(last(), ['e2']);
    answer(last());
    await another;
  });

  it('go from executors when they are released and no job reads them, and are then computed as if they were not persisted', async () => {
    const { run, dag, news, last, store, answer, backend, nextBatch } = bench();
    const kept = persisted(rows([1], [2]));
    const one = run(kept);
    store(last(), ['e1', 'e2']);
    dag.release(kept);
    expect(backend.droppedShuffles).toEqual([]);
    answer(last());
    await one;
    expect(backend.droppedShuffles).toEqual([{ application: 'a', epoch: 4, kept: 'kept-1' }]);
    dag.release(kept);
    nextBatch(200);
    news();
    const two = run(operator(kept, 'map'));
    expect(news()).toEqual(['collect 0,1']);
    expect(decodeStage(last().stage).pipelines[0]?.source.kind).toBe('rows');
    answer(last());
    await two;
    expect(backend.droppedShuffles).toHaveLength(1);
  });

  it('are read below others: the inner one need not be there when the outer one is', async () => {
    const { run, dag, news, last, store, answer } = bench();
    const inner = persisted(rows([1], [2]));
    const outer = persisted(operator(inner, 'map'));
    const one = run(outer);
    expect(news()).toEqual(['storeWrite 0,1']);
    store(last(), ['e1', 'e1']);
    expect(news()).toEqual(['storeWrite 0,1']);
    store(last(), ['e1', 'e1']);
    answer(last());
    await one;
    dag.release(inner);
    news();
    const both = run(merge('zip', outer, operator(outer, 'filter')));
    expect(news()).toEqual(['collect 0,1']);
    answer(last());
    await both;
  });

  it('that an executor has given up are computed once more, and then stay', async () => {
    const { run, news, last, store, answer, backend, nextBatch } = bench();
    const kept = persisted(rows([1], [2]), 'MEMORY_ONLY');
    const one = run(kept);
    store(last(), ['e1', 'e2']);
    answer(last());
    await one;
    nextBatch(200);
    news();
    const two = run(kept);
    const shuffleName = 'a/4/cache-1/100/1/1';
    expect(decodeTask(last().tasks[0]?.task as Uint8Array).input).toMatchObject({
      blocks: [{ directory: shuffleName }],
    });
    backend.emit(fetchFailed(last(), 'e1', { shuffle: shuffleName, missing: true }));
    expect(news()).toEqual(['collect 0,1', 'storeWrite 0']);
    store(last(), ['e1']);
    expect(decodeTask(last().tasks[0]?.task as Uint8Array).input).toMatchObject({
      blocks: [{ directory: expect.stringMatching(/^a\/4\/kept-1\/200\//) }],
    });
    answer(last());
    await two;
  });

  it('that nobody can reach any more go, too', async () => {
    const { run, last, store, answer, backend } = bench();
    const forgotten = async (): Promise<void> => {
      const one = run(persisted(rows([1])));
      store(last(), ['e1']);
      answer(last());
      await one;
    };
    await forgotten();
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    for (let tries = 0; tries < 200 && backend.droppedShuffles.length === 0; tries++) {
      await settle();
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
    }
    expect(backend.droppedShuffles).toEqual([{ application: 'a', epoch: 4, kept: 'kept-1' }]);
  });

  it('go when the application ends', async () => {
    const { run, dag, last, store, answer, backend } = bench();
    const kept = persisted(rows([1]), 'MEMORY_ONLY');
    const one = run(kept);
    store(last(), ['e1']);
    answer(last());
    await one;
    dag.cancelAll('the application ended');
    expect(backend.droppedShuffles).toEqual([{ application: 'a', epoch: 4, kept: 'cache-1' }]);
  });

  it('cost little when there are many: 1,000 partitions of each of 100 batches', async () => {
    const { run, last, backend, answer, nextBatch } = bench();
    const batches = Array.from({ length: 100 }, () => persisted(shuffle(rows([1]), 1_000)));
    for (const [index, kept] of batches.entries()) {
      nextBatch(200 + index);
      void run(kept);
      const sizes = Array.from({ length: 1_000 }, () => 1);
      const output = mapOutput(sizes);
      const written = last();
      for (const { partition } of written.tasks) backend.succeed(written, partition, output);
      const stored = last();
      for (const { partition } of stored.tasks) backend.succeed(stored, partition, mapOutput([7]));
      answer(last());
      await settle();
    }
    nextBatch(1_000);
    const begun = performance.now();
    void run(merge('concat', ...batches));
    const ms = performance.now() - begun;
    expect(last().tasks).toHaveLength(1_000);
    // 100,000 blocks are named, in 1 to 2 s on a busy machine; planning what is below them would take minutes.
    expect(ms).toBeLessThan(15_000);
    process.stderr.write(`a window of 100 batches of 1,000 partitions was planned in ${Math.round(ms)} ms\n`);
  }, 120_000);

  it('say what is wrong when rows of keyed state were kept for longer than they can be made again', async () => {
    const call: StateCall = {
      name: 'totals',
      mode: 'update',
      shape: 'keyed',
      partitioner: { kind: 'hash', partitions: 1 },
      layout: 'hash/1',
      functions: [],
      valueVersion: 0,
      batchTime: 100,
      snapshots: false,
      initial: false,
      kept: undefined,
    };
    const writes = { layout: 'hash/1', partitions: 1, bases: [], relayout: false, snapshotOf: [] };
    const states = { beginBatch: () => undefined, writeCall: () => writes, add: () => undefined };
    const { dag, backend } = dagBench(new VirtualClock(), { states: states as unknown as StateKeeper });
    const kept = persisted({ kind: 'stateful', parent: rows([['a', 1]]), call, place: 'job.ts:3:3' });
    const corrupt = new MillraceError('STATE_CORRUPT', 'the state file is damaged or missing');
    const failsIn = async (time: number): Promise<unknown> => {
      dag.endBatch();
      dag.beginBatch(time);
      const result = dag.run({ node: kept, action: collect }).catch((error: unknown) => error);
      const { key } = backend.sets.at(-1) as TaskSet;
      backend.emit({ kind: 'set-failed', key, partition: 0, error: MillraceError.toRecord(corrupt) });
      return result;
    };
    expect(await failsIn(100)).toMatchObject({ code: 'STATE_CORRUPT' });
    expect(await failsIn(700)).toMatchObject({
      code: 'BAD_REQUEST',
      what: expect.stringMatching(
        /the rows that "totals" made of batch 1970.* cannot be made again: its state has moved on/,
      ),
      remedy: expect.stringContaining('checkpoint()'),
      details: { place: 'job.ts:3:3' },
    });
  });
});
