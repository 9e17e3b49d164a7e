import { describe, expect, it } from '@jest/globals';
import type { PersistedNode, RddNode } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { decodeStage, decodeTask, encodeMapOutput } from '@millrace/proto/task';
import { VirtualClock } from '../../../../testing/src/virtual-clock.ts';
import type { TaskSet } from '../../task-backend.ts';
import { dagBench } from '../testing/dag-bench.ts';
import { operator, rows, shuffle } from '../testing/datasets.ts';
import { MemoryStateFiles } from '../testing/memory-state-files.ts';
import { settle } from '../testing/pump.ts';

const collect = { kind: 'collect', functions: [], numbers: [], place: 'job.ts:7:7' } as const;
const checkpoint = (parent: RddNode): PersistedNode => ({
  kind: 'persisted',
  parent,
  level: 'MEMORY_AND_DISK',
  checkpoint: true,
  place: 'job.ts:5:5',
});
const FILE = '00000004-c1.state';
const at = (executorId: string, attempt = 0) => ({ executorId, attempt });
const NO_UPDATES = new Uint8Array();

/** A scheduler whose tasks run where and when the test says. A task leaves as many bytes as its partition's number and one more, all of that number. */
function bench(checkpointFiles: MemoryStateFiles | undefined = new MemoryStateFiles()) {
  const made = dagBench(new VirtualClock(), { checkpointFiles });
  const { dag, backend } = made;
  let seen = 0;
  const news = (): string[] => {
    const sets = backend.sets.slice(seen);
    seen = backend.sets.length;
    return sets.map(
      (set) => `${decodeStage(set.stage).action.kind} ${set.tasks.map(({ partition }) => partition).join()}`,
    );
  };
  const last = (): TaskSet => backend.sets.at(-1) as TaskSet;
  const store = (set: TaskSet, partition: number, place = at('e1')): void => {
    const copy = new Uint8Array(partition + 1).fill(partition);
    backend.succeed(set, partition, encodeMapOutput({ sizes: [copy.length], copy }), 1, NO_UPDATES, place);
  };
  const answer = (set: TaskSet): void => {
    for (const { partition } of set.tasks) backend.succeed(set, partition, Uint8Array.of(partition), 0);
  };
  const run = (node: RddNode, partitions?: readonly number[]) => {
    const result = dag.run({ node, action: collect, ...(partitions ? { partitions } : {}) });
    result.catch(() => undefined);
    return result;
  };
  const lose = (executorId: string): void =>
    backend.emit({
      kind: 'set-failed',
      key: last().key,
      partition: 0,
      error: MillraceError.toRecord(new MillraceError('FETCH_FAILED', 'gone', { details: { executorId } })),
    });
  const inputs = () => last().tasks.map(({ task }) => decodeTask(task).input);
  return { ...made, files: checkpointFiles, news, last, store, answer, run, lose, inputs };
}

describe('checkpoints in the DAG scheduler', () => {
  it('are made as a whole by the first job, cut the lineage, and outlive the executors without a task', async () => {
    const { run, news, last, store, answer, lose, inputs, files, backend } = bench();
    const node = checkpoint(operator(shuffle(rows([1]), 2), 'group'));
    const above = operator(node, 'mapValues');
    const first = run(above, [0]);
    backend.succeed(last(), 0, encodeMapOutput({ sizes: [3, 3] }));
    expect(news()).toEqual(['shuffleWrite 0', 'storeWrite 0,1']);
    for (const partition of [0, 1]) store(last(), partition);
    expect(node.parent.kind).toBe('operator');
    answer(last());
    await first;
    expect(node.parent).toEqual({
      kind: 'cut',
      partitions: 2,
      partitioner: { kind: 'hash', partitions: 2 },
      file: FILE,
    });
    expect([...(files?.contents.get(FILE) ?? [])]).toEqual([0, 1, 1]);
    expect(files?.unsynced).toEqual([]);

    news();
    const second = run(above);
    lose('e1');
    expect(news()).toEqual(['collect 0,1', 'collect 0,1']);
    expect(inputs()).toMatchObject([
      { blocks: [{ executorId: '', bytes: 1, section: { file: FILE, offset: 0 } }] },
      { blocks: [{ executorId: '', bytes: 2, section: { file: FILE, offset: 1 } }] },
    ]);
    expect(last().tasks.map(({ preference }) => preference.kind)).toEqual(['any', 'any']);
    answer(last());
    await second;
  });

  it('are computed again what an executor took with it before it was durable, and the later copy counts', async () => {
    const files = new MemoryStateFiles();
    const { run, news, last, store, answer, lose, inputs } = bench(files);
    const node = checkpoint(rows([1], [2]));
    const sync = Promise.withResolvers<void>();
    const create = files.create.bind(files);
    files.create = (name) => ({ ...create(name), sync: () => sync.promise });
    const first = run(node);
    for (const partition of [0, 1]) store(last(), partition, at(`e${partition}`));
    news();
    lose('e1');
    expect(news()).toEqual(['storeWrite 1']);
    store(last(), 1, at('e2', 1));
    answer(last());
    sync.resolve();
    await first;
    const second = run(node);
    lose('e2');
    expect(inputs()).toMatchObject([
      { blocks: [{ executorId: 'e0' }] },
      { blocks: [{ executorId: '', section: { offset: 3 } }] },
    ]);
    answer(last());
    await second;
  });

  it('need nothing of a partition without rows when the executor that found it so is gone', async () => {
    const { run, last, store, answer, lose, inputs, backend } = bench();
    const node = checkpoint(rows([1], [2]));
    const first = run(node);
    store(last(), 0, at('e0'));
    backend.succeed(last(), 1, encodeMapOutput({ sizes: [0] }), 1, NO_UPDATES, at('e1'));
    answer(last());
    await first;
    expect(node.parent.kind).toBe('cut');
    for (const executorId of ['e1', 'e0']) {
      const next = run(node);
      lose(executorId);
      answer(last());
      await next;
    }
    const next = run(node);
    expect(inputs()).toMatchObject([{ blocks: [{ section: { offset: 0 } }] }]);
    answer(last());
    await next;
  });

  it('are written once by two jobs at once, and once by two attempts', async () => {
    const { run, news, last, store, answer, files, backend } = bench();
    const node = checkpoint(rows([1], [2]));
    const both = [run(node), run(node, [1])];
    expect(news()).toEqual(['storeWrite 0,1']);
    const set = last();
    for (const partition of [0, 1]) {
      store(set, partition, at('e1', 0));
      store(set, partition, at('e2', 1));
    }
    expect(news().toSorted()).toEqual(['collect 0,1', 'collect 1']);
    for (const each of backend.sets.slice(-2)) answer(each);
    await Promise.all(both);
    expect([...(files?.contents.get(FILE) ?? [])]).toEqual([0, 1, 1]);
  });

  it('go with the application run', async () => {
    const { run, last, store, answer, files, dag } = bench();
    const first = run(checkpoint(rows([1])));
    store(last(), 0);
    answer(last());
    await first;
    expect(files?.list()).toEqual([FILE]);
    dag.cancelAll('the application was stopped');
    await settle();
    expect(files?.list()).toEqual([]);
  });

  it('fail the job when the store does not take them, or there is none', async () => {
    const { run, last, store, files } = bench();
    const first = run(checkpoint(rows([1])));
    if (files)
      files.fault = () => {
        throw new Error('ENOSPC');
      };
    store(last(), 0);
    await expect(first).rejects.toMatchObject({ code: 'STATE_WRITE_FAILED' });
    const { dag } = dagBench(new VirtualClock());
    await expect(dag.run({ node: checkpoint(rows([1])), action: collect })).rejects.toMatchObject({
      code: 'STATE_STORE_MISSING',
      details: { place: 'job.ts:5:5' },
    });
  });
});
