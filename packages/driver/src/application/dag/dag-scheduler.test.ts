import { describe, expect, it } from '@jest/globals';
import type { RddNode } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { VirtualClock } from '../../../../testing/src/virtual-clock.ts';
import { dagBench } from '../testing/dag-bench.ts';
import { settle } from '../testing/pump.ts';

const node = (partitions: number, broadcastIds: readonly string[] = [], snapshotBytes = 3): RddNode => ({
  kind: 'operator',
  parent: { kind: 'rows', partitions: Array.from({ length: partitions }, (_, index) => [index]) },
  operator: {
    kind: 'map',
    functions: [{ hash: `s${snapshotBytes}`, bytes: new Uint8Array(snapshotBytes), place: '', broadcastIds }],
    numbers: [],
    place: '',
  },
});
const count = { kind: 'count', functions: [], numbers: [], place: '' } as const;
const bytes = (value: number): Uint8Array => Uint8Array.of(value);

const setup = (apply?: (updates: Uint8Array) => void) => dagBench(new VirtualClock(), { apply });

describe('the DAG scheduler', () => {
  it('gives the results in the order of partitions, whatever their order of arrival', async () => {
    const { dag, backend, set } = setup();
    const result = dag.run({ node: node(3), action: count });
    expect(set().key).toEqual({ application: 'a', epoch: 4, batchTime: 100, jobId: 1, stageId: 1 });
    expect(set()).toMatchObject({
      attemptsMax: 4,
      taskTimeoutMs: 1_000,
      kafkaTimeoutMs: 600_000,
      localityWaitMs: 10,
      programHash: 'p',
    });
    for (const partition of [2, 0, 1]) backend.succeed(set(), partition, bytes(partition));
    expect(await result).toEqual([bytes(0), bytes(1), bytes(2)]);
    expect(dag.endBatch()).toEqual({ records: 3, tasks: 3, failedAttempts: 0, accumulators: [] });
  });

  it('gives the results in the order asked for', async () => {
    const { dag, backend, set } = setup();
    const result = dag.run({ node: node(3), action: count, partitions: [2, 0] });
    for (const partition of [0, 2]) backend.succeed(set(), partition, bytes(partition));
    expect(await result).toEqual([bytes(2), bytes(0)]);
  });

  it('applies accumulators once a task, however often the event comes', async () => {
    const { dag, backend, applied, set } = setup();
    const result = dag.run({ node: node(2), action: count });
    for (const partition of [0, 0, 1, 1])
      backend.succeed(set(), partition, bytes(0), 1, bytes(partition + 1));
    await result;
    expect(applied).toEqual([1, 2]);
  });

  it.each([0, 1])('fails the job when what task %p added cannot be applied', async (failing) => {
    // 1 is the last one: the stage must not have succeeded before.
    const { dag, backend, set } = setup((updates) => {
      if (updates[0] === failing) throw new Error('cannot merge');
    });
    const result = dag.run({ node: node(2), action: count });
    const failed = expect(result).rejects.toThrow('accumulator updates could not be applied: cannot merge');
    for (const partition of [0, 1]) backend.succeed(set(), partition, bytes(7), 1, bytes(partition));
    await failed;
    await expect(result).rejects.toMatchObject({ code: 'INTERNAL' });
    await dag.settled();
  });

  it('keeps the code of what a merge threw', async () => {
    const thrown = new MillraceError('USER_CODE', 'the merge function threw');
    const { dag, backend, set } = setup(() => {
      throw thrown;
    });
    const result = dag.run({ node: node(1), action: count });
    const failed = expect(result).rejects.toBe(thrown);
    backend.succeed(set(), 0, bytes(7), 1, bytes(1));
    await failed;
  });

  it('refuses results that are too large together, and ends the other tasks', async () => {
    const { dag, backend, set, applied } = setup();
    const result = dag.run({ node: node(3), action: { ...count, kind: 'collect', place: 'job.ts:3:1' } });
    const failed = expect(result).rejects.toMatchObject({
      code: 'RESULT_TOO_LARGE',
      details: { place: 'job.ts:3:1', bytesMax: 10 },
    });
    backend.succeed(set(), 0, new Uint8Array(6), 1, bytes(1));
    backend.succeed(set(), 1, new Uint8Array(5), 1, bytes(2));
    await failed;
    expect(applied).toEqual([1]);
    // What comes of the third task counts no more.
    backend.succeed(set(), 2, new Uint8Array(1), 1, bytes(3));
    expect(applied).toEqual([1]);
  });

  it('ignores events of another batch, job, epoch or stage', async () => {
    const { dag, backend, set } = setup();
    let done = false;
    void dag.run({ node: node(1), action: count }).then(() => (done = true));
    const { key } = set();
    for (const other of [{ batchTime: 0 }, { epoch: 3 }, { jobId: 9 }, { stageId: 9 }]) {
      backend.succeed({ ...set(), key: { ...key, ...other } }, 0, bytes(0));
    }
    await settle();
    expect(done).toBe(false);
    backend.succeed(set(), 0, bytes(0));
    await settle();
    expect(done).toBe(true);
  });

  it('fails the job with the typed error of its task, in the places of the user', async () => {
    const { dag, backend, set } = setup();
    const result = dag.run({ node: node(2), action: count });
    const error = MillraceError.toRecord(
      new MillraceError('VALUE_DECODE', 'views-0 at 17', { details: { offset: 17 } }),
    );
    backend.emit({
      kind: 'attempt-failed',
      key: set().key,
      partition: 0,
      attempt: 0,
      executorId: 'e',
      error,
    });
    backend.emit({ kind: 'set-failed', key: set().key, partition: 0, error });
    backend.succeed(set(), 1, bytes(0));
    await expect(result).rejects.toMatchObject({
      code: 'VALUE_DECODE',
      details: { offset: 17 },
      stack: 'job.ts:1:1',
    });
    expect(dag.endBatch()).toMatchObject({ failedAttempts: 2, records: 0 });
  });

  it('runs jobs of one batch side by side', async () => {
    const { dag, backend, set } = setup();
    const both = Promise.all([
      dag.run({ node: node(1), action: count }),
      dag.run({ node: node(1), action: count }),
    ]);
    backend.succeed(set(1), 0, bytes(2));
    backend.succeed(set(0), 0, bytes(1));
    expect(await both).toEqual([[bytes(1)], [bytes(2)]]);
  });

  it('cancels what runs, and starts nothing more', async () => {
    const { dag, backend, clock } = setup();
    const running = dag.run({ node: node(1), action: count });
    dag.cancelAll('stopped');
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(backend.cancelled).toHaveLength(1);
    await expect(dag.run({ node: node(1), action: count })).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(backend.sets).toHaveLength(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it('refuses an action that comes after its batch', async () => {
    const { dag } = setup();
    dag.endBatch();
    await expect(dag.run({ node: node(1), action: count })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('submits nothing before broadcasts and large snapshots can be fetched', async () => {
    const { dag, backend, set } = setup();
    const stored = Promise.withResolvers<void>();
    backend.putBlobResult = stored.promise;
    const id = dag.broadcast(Uint8Array.of(1, 2, 3));
    const result = dag.run({ node: node(1, [id], 100_000), action: count });
    await settle();
    expect(backend.sets).toHaveLength(0);
    expect([...backend.blobs.keys()]).toEqual([id, 's100000']);
    stored.resolve();
    await settle();
    backend.succeed(set(), 0, bytes(0));
    await result;
    dag.endBatch();
    expect([...backend.blobs.keys()]).toEqual([id, 's100000']);
    dag.beginBatch(200);
    dag.endBatch();
    expect([...backend.blobs.keys()]).toEqual([id]);
    dag.dropBroadcast(id);
    expect(backend.blobs.size).toBe(0);
  });

  it('fails the job when a blob cannot be stored, or a broadcast was destroyed', async () => {
    const { dag, backend } = setup();
    backend.putBlobResult = Promise.reject(new Error('too large'));
    await expect(dag.run({ node: node(1, [], 100_000), action: count })).rejects.toThrow('too large');
    await expect(dag.run({ node: node(1, ['gone']), action: count })).rejects.toMatchObject({
      code: 'BLOCK_MISSING',
    });
  });

  it('says that tasks wait when there is no executor', async () => {
    const { dag, backend, clock, events, set } = setup();
    backend.slots = 0;
    const result = dag.run({ node: node(1), action: count });
    clock.advance(25_000);
    expect(events).toHaveLength(2);
    backend.succeed(set(), 0, bytes(0));
    await result;
    expect(clock.pendingTimers).toBe(0);
  });
});
