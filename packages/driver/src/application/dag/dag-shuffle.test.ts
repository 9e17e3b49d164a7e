import { deserialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import type { RddNode } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { decodeStage, decodeTask, encodeMapOutput } from '@millrace/proto/task';
import { VirtualClock } from '../../../../testing/src/virtual-clock.ts';
import type { TaskSet } from '../../task-backend.ts';
import { dagBench } from '../testing/dag-bench.ts';
import { operator, rows, shuffle } from '../testing/datasets.ts';
import { FakeBackend, mapOutput } from '../testing/fake-backend.ts';
import { settle } from '../testing/pump.ts';

const collect = { kind: 'collect', functions: [], numbers: [], place: 'job.ts:7:7' } as const;
const words = (): RddNode => operator(shuffle(rows([1], [2, 3]), 2), 'group');
const bytes = (value: number): Uint8Array => Uint8Array.of(value);
const none = new Uint8Array();

const fetchFailed = (set: TaskSet, executorId: string) => ({
  kind: 'set-failed' as const,
  key: set.key,
  partition: 0,
  error: MillraceError.toRecord(
    new MillraceError('FETCH_FAILED', `${executorId} does not answer`, { details: { executorId } }),
  ),
});

/** The map stage has run on e1 (partition 0) and e2. */
function mapped() {
  const bench = dagBench(new VirtualClock());
  const result = bench.dag.run({ node: words(), action: collect });
  result.catch(() => undefined);
  const { backend, set } = bench;
  backend.succeed(set(), 0, mapOutput([4, 0]), 1, bytes(1), { executorId: 'e1' });
  backend.succeed(set(), 1, mapOutput([5, 6]), 2, bytes(2), { executorId: 'e2' });
  return { ...bench, result };
}

const inputsOf = (set: TaskSet) => set.tasks.map(({ task }) => decodeTask(task).input);

describe('shuffles in the DAG scheduler', () => {
  it('runs the map tasks, then tells the others where their blocks are', async () => {
    const { dag, backend, set, result } = mapped();
    expect(set(0).key).toMatchObject({ jobId: 1, stageId: 1 });
    const { action } = decodeStage(set(0).stage);
    expect(action.kind).toBe('shuffleWrite');
    expect(deserialize(action.value as Uint8Array)).toEqual({
      directory: 'a/4/100/1/1',
      // Of two map tasks.
      inlineBytesMax: 64 * 1024,
      partitioner: { kind: 'hash', partitions: 2 },
    });
    expect(set(1).key).toMatchObject({ jobId: 1, stageId: 2 });
    expect(decodeStage(set(1).stage).action.kind).toBe('collect');
    const directory = 'a/4/100/1/1';
    const e2 = { executorId: 'e2', address: 'e2:1', directory, mapPartition: 1, attempt: 0 };
    expect(inputsOf(set(1))).toEqual([
      {
        kind: 'shuffle',
        blocks: [
          { executorId: 'e1', address: 'e1:1', directory, mapPartition: 0, attempt: 0, bucket: 0, bytes: 4 },
          { ...e2, bucket: 0, bytes: 5 },
        ],
      },
      { kind: 'shuffle', blocks: [{ ...e2, bucket: 1, bytes: 6 }] },
    ]);
    // The scheduler compares them with the same tasks of other batches.
    expect(set(1).tasks.map(({ span }) => span)).toEqual([9, 6]);
    backend.succeed(set(1), 1, bytes(8), 0);
    backend.succeed(set(1), 0, bytes(7), 0);
    expect(await result).toEqual([bytes(7), bytes(8)]);
    expect(backend.droppedShuffles).toEqual([]);
    expect(dag.endBatch()).toMatchObject({ records: 3, tasks: 4, failedAttempts: 0 });
    expect(backend.droppedShuffles).toEqual([{ application: 'a', epoch: 4, batchTime: 100 }]);
  });

  it('hands small map outputs to the tasks that read them, and drops nothing where nothing was left', async () => {
    const { dag, backend, set } = dagBench(new VirtualClock());
    const result = dag.run({ node: words(), action: collect });
    const inline = (sizes: readonly number[], text: string): Uint8Array =>
      encodeMapOutput({ sizes, inline: Buffer.from(text) });
    backend.succeed(set(0), 0, inline([1, 2], 'abb'), 1, none, { executorId: 'e1' });
    backend.succeed(set(0), 1, inline([0, 1], 'c'), 1, none, { executorId: 'e2' });
    expect(inputsOf(set(1))).toMatchObject([
      { blocks: [{ mapPartition: 0, data: Buffer.from('a') }] },
      {
        blocks: [
          { mapPartition: 0, data: Buffer.from('bb') },
          { mapPartition: 1, data: Buffer.from('c') },
        ],
      },
    ]);
    backend.succeed(set(1), 0, bytes(7), 0);
    backend.succeed(set(1), 1, bytes(8), 0);
    await result;
    dag.endBatch();
    expect(backend.droppedShuffles).toEqual([]);
  });

  it('runs lost map tasks again, then what is missing, and counts records and accumulators once', async () => {
    const { dag, backend, set, result, applied } = mapped();
    backend.succeed(set(1), 1, bytes(8), 0);
    backend.emit(fetchFailed(set(1), 'e1'));
    expect(set(2).key).toEqual(set(0).key);
    expect(set(2).tasks.map(({ partition }) => partition)).toEqual([0]);
    expect(set(2).firstAttempt).toBe(1);
    backend.succeed(set(2), 0, mapOutput([4, 0]), 1, bytes(1), { executorId: 'e3' });
    expect(set(3).tasks.map(({ partition }) => partition)).toEqual([0]);
    expect(inputsOf(set(3))).toMatchObject([
      {
        blocks: [
          { executorId: 'e3', attempt: 1 },
          { executorId: 'e2', attempt: 0 },
        ],
      },
    ]);
    backend.succeed(set(3), 0, bytes(7), 0);
    expect(await result).toEqual([bytes(7), bytes(8)]);
    expect(dag.endBatch()).toMatchObject({ records: 3, tasks: 6, failedAttempts: 1 });
    // The reduce tasks bring none.
    expect(applied.filter((value) => value > 0)).toEqual([1, 2]);
  });

  it('fails the job with the cause when the blocks are lost again and again, and drops them', async () => {
    const { dag, backend, set, result } = mapped();
    for (let round = 1; round < 4; round++) {
      backend.emit(fetchFailed(set(2 * round - 1), 'e1'));
      backend.succeed(set(2 * round), 0, mapOutput([4, 0]), 1, none, { executorId: 'e1' });
    }
    expect(backend.sets).toHaveLength(8);
    backend.emit(fetchFailed(set(7), 'e1'));
    await expect(result).rejects.toMatchObject({ code: 'FETCH_FAILED', details: { executorId: 'e1' } });
    await dag.settled();
    expect(backend.sets).toHaveLength(8);
    dag.cancelAll('the batch failed');
    expect(backend.droppedShuffles).toHaveLength(1);
  });

  it('drops what a cancelled batch left, once, after its tasks were cancelled', async () => {
    const { dag, backend, result } = mapped();
    dag.cancelAll('stopped');
    await expect(result).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(backend.cancelled.map(({ stageId }) => stageId)).toEqual([2]);
    expect(backend.droppedShuffles).toHaveLength(1);
    dag.endBatch();
    expect(backend.droppedShuffles).toHaveLength(1);
  });

  it('does not shuffle again for the next job on the same dataset, but in the next batch', async () => {
    const { dag, backend, set } = dagBench(new VirtualClock());
    const node = words();
    const first = dag.run({ node, action: collect, partitions: [0] });
    backend.succeed(set(0), 0, mapOutput([1, 1]));
    backend.succeed(set(0), 1, mapOutput([1, 1]));
    backend.succeed(set(1), 0, bytes(1));
    await first;
    const second = dag.run({ node, action: collect, partitions: [1] });
    expect(set(2).key).toMatchObject({ jobId: 2, stageId: 4 });
    expect(inputsOf(set(2))).toMatchObject([
      { blocks: [{ directory: 'a/4/100/1/1' }, { directory: 'a/4/100/1/1' }] },
    ]);
    backend.succeed(set(2), 1, bytes(2));
    expect(await second).toEqual([bytes(2)]);
    dag.endBatch();
    dag.beginBatch(200);
    void dag.run({ node, action: collect }).catch(() => undefined);
    expect(set(3).key).toMatchObject({ batchTime: 200, stageId: 1 });
    dag.cancelAll('over');
  });

  it('drops nothing after a batch without shuffles', async () => {
    const { dag, backend, set } = dagBench(new VirtualClock());
    const result = dag.run({ node: rows([1]), action: collect });
    backend.succeed(set(), 0, bytes(1));
    await result;
    dag.endBatch();
    expect(backend.droppedShuffles).toEqual([]);
  });

  it('does not count map outputs as results', async () => {
    const { dag, backend, set } = dagBench(new VirtualClock());
    const result = dag.run({ node: shuffle(rows([1]), 100), action: collect });
    // 10 bytes of results are allowed.
    backend.succeed(set(), 0, mapOutput(Array.from({ length: 100 }, () => 1)));
    expect(set(1).tasks).toHaveLength(100);
    for (let partition = 0; partition < 100; partition++) backend.succeed(set(1), partition, none);
    expect(await result).toHaveLength(100);
  });

  it('fails the job when a map task reports something else', async () => {
    const { dag, backend, set } = dagBench(new VirtualClock());
    const result = dag.run({ node: words(), action: collect });
    const failed = expect(result).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    backend.succeed(set(), 0, mapOutput([1]));
    await failed;
    expect(backend.cancelled).toHaveLength(0);
  });

  it('submits no stage of a job that has failed at its first', async () => {
    const { dag, backend } = dagBench(new VirtualClock());
    backend.putBlobResult = Promise.reject(new Error('too large'));
    const large = { hash: 'L', bytes: new Uint8Array(100_000), place: '', broadcastIds: [] };
    const node: RddNode = {
      kind: 'union',
      parents: [
        shuffle(
          {
            kind: 'operator',
            parent: rows([1]),
            operator: { kind: 'map', functions: [large], numbers: [], place: '' },
          },
          1,
        ),
        shuffle(rows([1]), 1),
      ],
    };
    await expect(dag.run({ node, action: collect })).rejects.toThrow('too large');
    expect(backend.cancelled.map(({ stageId }) => stageId)).toContain(2);
  });

  it('runs on a backend that answers map tasks by itself', async () => {
    const backend = new FakeBackend(() => ({ result: bytes(3), records: 0 }));
    const { dag } = dagBench(new VirtualClock(), { backend });
    const result = dag.run({ node: words(), action: collect });
    await settle();
    expect(await result).toEqual([bytes(3), bytes(3)]);
  });
});
