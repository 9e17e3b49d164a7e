import { describe, expect, it } from '@jest/globals';
import type { RddNode } from '@millrace/api/internal';
import { encodeMapOutput } from '@millrace/proto/task';
import * as fc from 'fast-check';
import { ClusterModel, jobRun, lost } from '../testing/cluster-model.ts';
import { merge, rows, shuffle } from '../testing/datasets.ts';
import { mapOutput } from '../testing/fake-backend.ts';
import { BatchShuffles } from './batch-shuffles.ts';
import { STAGE_ATTEMPTS_MAX, type StageLaunch } from './job-run.ts';
import type { StageId } from './stage.ts';
import { buildStages } from './stage-builder.ts';

const collect = { kind: 'collect', functions: [], numbers: [], place: '' } as const;
const foreachPartition = { ...collect, kind: 'foreachPartition' } as const;

const stagesOf = (node: RddNode, action: typeof collect | typeof foreachPartition = foreachPartition) =>
  buildStages({ node, action }, 1, () => '');
const id = (stage: number): StageId => stage as StageId;
const names = (launches: readonly StageLaunch[]) =>
  launches.map(
    ({ stage, tasks, firstAttempt }) =>
      `${stage.id}:${tasks.map(({ partition }) => partition).join()}@${firstAttempt}`,
  );

function setup(node: RddNode, action?: typeof collect, shuffles?: BatchShuffles) {
  const run = jobRun(stagesOf(node, action), shuffles);
  const end = (stage: number, partition: number, executorId: string, sizes = [1, 1], attempt = 0): boolean =>
    run.succeeded(id(stage), partition, {
      result: mapOutput(sizes),
      attempt,
      executorId,
      blockAddress: `${executorId}:7`,
    });
  return { run, end };
}

describe('a job run with shuffles', () => {
  const words = () => shuffle(rows([1], [2], [3]), 2);

  it('starts the stage that reads when all map tasks are done, and names their blocks in map-partition order', () => {
    const { run, end } = setup(words());
    expect(names(run.start())).toEqual(['1:0,1,2@0']);
    end(1, 2, 'e2', [5, 0]);
    end(1, 0, 'e1', [3, 4]);
    expect(run.start()).toEqual([]);
    end(1, 1, 'e2', [7, 8]);
    expect(names(run.start())).toEqual(['2:0,1@0']);
    expect(run.blocks(id(1), 0)).toEqual([
      { executorId: 'e1', address: 'e1:7', directory: 'dir1', mapPartition: 0, attempt: 0, bytes: 3 },
      { executorId: 'e2', address: 'e2:7', directory: 'dir1', mapPartition: 1, attempt: 0, bytes: 7 },
      { executorId: 'e2', address: 'e2:7', directory: 'dir1', mapPartition: 2, attempt: 0, bytes: 5 },
    ]);
    expect(run.blocks(id(1), 1).map(({ mapPartition }) => mapPartition)).toEqual([0, 1]);
  });

  it('has small map outputs itself: they go to those who read them, and are not lost with their executor', () => {
    const { run, end } = setup(words());
    const small = (partition: number, sizes: readonly number[], inline: string): boolean =>
      run.succeeded(id(1), partition, {
        result: encodeMapOutput({ sizes, inline: Buffer.from(inline) }),
        attempt: 0,
        executorId: 'e1',
        blockAddress: 'e1:7',
      });
    run.start();
    small(0, [2, 1], 'aab');
    end(1, 1, 'e1', [3, 4]);
    small(2, [0, 2], 'cc');
    run.start();
    const dataOf = (bucket: number) =>
      run.blocks(id(1), bucket).map(({ data, bytes }) => (data ? Buffer.from(data).toString() : bytes));
    expect([dataOf(0), dataOf(1)]).toEqual([
      ['aa', 3],
      ['b', 4, 'cc'],
    ]);
    run.fetchFailed(id(2), { executorId: 'e1' }, lost);
    expect(names(run.start())).toEqual(['1:1@1']);
    end(1, 1, 'e2', [3, 4], 1);
    expect(names(run.start())).toEqual(['2:0,1@1']);
    expect(dataOf(1)).toEqual(['b', 4, 'cc']);
  });

  it('refuses a map output whose bytes are not those that it names', () => {
    const { run } = setup(words());
    run.start();
    const result = encodeMapOutput({ sizes: [2, 1], inline: Buffer.from('aa') });
    const done = { result, attempt: 0, executorId: 'e1', blockAddress: 'e1:7' };
    expect(() => run.succeeded(id(1), 0, done)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
  });

  it('runs the map tasks of a lost executor again, then the missing tasks, with fresh attempts', () => {
    const { run, end } = setup(words());
    run.start();
    end(1, 0, 'e1');
    end(1, 1, 'e2', [1, 1], 3);
    end(1, 2, 'e1');
    run.start();
    expect(end(2, 1, 'e2')).toBe(true);
    expect(run.fetchFailed(id(2), { executorId: 'e1' }, lost)).toEqual([]);
    expect(names(run.start())).toEqual(['1:0,2@4']);
    expect(end(1, 0, 'e3', [1, 1], 3)).toBe(false);
    expect(end(1, 0, 'e3', [1, 1], 4)).toBe(true);
    end(1, 2, 'e2', [1, 1], 5);
    expect(names(run.start())).toEqual(['2:0@1']);
    expect(run.blocks(id(1), 0).map(({ executorId, attempt }) => `${executorId}/${attempt}`)).toEqual([
      'e3/4',
      'e2/3',
      'e2/5',
    ]);
    // What the cut set said once more does not count.
    expect(end(2, 1, 'e2')).toBe(false);
    expect(end(2, 0, 'e2', [], 1)).toBe(true);
    expect(run.finished).toBe(true);
    expect(run.results()).toHaveLength(2);
  });

  it('counts a map task once, however often it runs', () => {
    const { run, end } = setup(words());
    run.start();
    for (const partition of [0, 1, 2]) {
      expect(run.isFirst(id(1), partition)).toBe(true);
      end(1, partition, 'e1');
    }
    run.start();
    run.fetchFailed(id(2), { executorId: 'e1' }, lost);
    run.start();
    expect(run.awaits(id(1), 0, 1)).toBe(true);
    expect(run.isFirst(id(1), 0)).toBe(false);
  });

  it('fails with the cause when a stage cannot read its input for the fourth time', () => {
    const { run, end } = setup(words());
    for (let attempt = 0; attempt < STAGE_ATTEMPTS_MAX; attempt++) {
      expect(run.failure).toBeUndefined();
      run.start();
      for (const partition of [0, 1, 2]) end(1, partition, 'e1', [1, 1], attempt);
      expect(names(run.start())).toEqual([`2:0,1@${attempt}`]);
      run.fetchFailed(id(2), { executorId: 'e1' }, lost);
    }
    expect(run.failure).toBe(lost);
    expect(run.finished).toBe(true);
    expect(run.start()).toEqual([]);
  });

  it('does not lose what was made anew when a stage hears of the same loss later', () => {
    const shared = words();
    // Two stages read one map stage.
    const { run, end } = setup(merge('zip', shuffle(shared, 2), shuffle(shared, 2)));
    run.start();
    for (const partition of [0, 1, 2]) end(1, partition, 'e1');
    expect(names(run.start())).toEqual(['2:0,1@0', '3:0,1@0']);
    run.fetchFailed(id(2), { executorId: 'e1' }, lost);
    expect(names(run.start())).toEqual(['1:0,1,2@1']);
    for (const partition of [0, 1, 2]) end(1, partition, 'e1', [1, 1], 1);
    expect(names(run.start())).toEqual(['2:0,1@1']);
    run.fetchFailed(id(3), { executorId: 'e1' }, lost);
    expect(names(run.start())).toEqual(['3:0,1@1']);
  });

  it('goes back as many stages as the loss reaches, and leaves alone what nobody reads any more', () => {
    const { run, end } = setup(shuffle(words(), 2));
    run.start();
    for (const partition of [0, 1, 2]) end(1, partition, 'e1');
    run.start();
    end(2, 0, 'e1');
    end(2, 1, 'e2');
    run.start();
    run.fetchFailed(id(3), { executorId: 'e2' }, lost);
    // Stage 1 lost nothing.
    expect(names(run.start())).toEqual(['2:1@1']);
    end(2, 1, 'e2', [1, 1], 1);
    run.start();
    run.fetchFailed(id(3), { executorId: 'e1' }, lost);
    expect(names(run.start())).toEqual(['1:0,1,2@1']);
    for (const partition of [0, 1, 2]) end(1, partition, 'e2', [1, 1], 1);
    expect(names(run.start())).toEqual(['2:0@2']);
    end(2, 0, 'e2', [1, 1], 2);
    expect(names(run.start())).toEqual(['3:0,1@2']);
  });

  it('does not run again what a stage that is done had read', () => {
    const { run, end } = setup(shuffle(words(), 2));
    run.start();
    for (const partition of [0, 1, 2]) end(1, partition, 'e1');
    run.start();
    end(2, 0, 'e2');
    end(2, 1, 'e2');
    run.start();
    // Nothing that stage 3 reads is on e1.
    run.fetchFailed(id(3), { executorId: 'e1' }, lost);
    expect(names(run.start())).toEqual(['3:0,1@1']);
  });

  it('runs a map stage once more when some of its output was lost while it ran again', () => {
    const shared = words();
    const { run, end } = setup(merge('zip', shuffle(shared, 2), shuffle(shared, 2)));
    run.start();
    end(1, 0, 'e1');
    end(1, 1, 'e2');
    end(1, 2, 'e3');
    run.start();
    run.fetchFailed(id(2), { executorId: 'e1' }, lost);
    expect(names(run.start())).toEqual(['1:0@1']);
    run.fetchFailed(id(3), { executorId: 'e2' }, lost);
    expect(run.start()).toEqual([]);
    end(1, 0, 'e3', [1, 1], 1);
    expect(names(run.start())).toEqual(['1:1@2']);
    end(1, 1, 'e3', [1, 1], 2);
    expect(names(run.start())).toEqual(['2:0,1@1', '3:0,1@1']);
  });

  it('needs no task for empty buckets, and none at all when nothing is read', () => {
    const some = setup(words(), collect);
    some.run.start();
    some.end(1, 0, 'e1', [0, 0]);
    some.end(1, 1, 'e1', [0, 9]);
    some.end(1, 2, 'e1', [0, 0]);
    expect(names(some.run.start())).toEqual(['2:1@0']);
    some.end(2, 1, 'e1');
    expect(some.run.results()).toHaveLength(2);
    const none = setup(shuffle(shuffle(rows([], []), 3), 2), collect);
    expect(none.run.start()).toEqual([]);
    expect(none.run.finished).toBe(true);
    expect(none.run.results()).toHaveLength(2);
  });

  it('reads what an earlier job of the batch left of the same shuffle, and makes again only what is lost of it', () => {
    const shared = words();
    const shuffles = new BatchShuffles();
    const first = setup(shared, collect, shuffles);
    first.run.start();
    first.end(1, 0, 'e1', [1, 0]);
    first.end(1, 1, 'e2', [1, 0]);
    first.end(1, 2, 'e1', [1, 0], 2);
    first.run.start();
    first.end(2, 0, 'e1');
    first.run.close();
    // The same map stage, and another one on top of it, of which a task has nothing to read.
    const second = setup(shuffle(shared, 2), collect, shuffles);
    expect(names(second.run.start())).toEqual(['2:0@0']);
    expect(second.run.blocks(id(1), 0).map(({ attempt, directory }) => `${directory}/${attempt}`)).toEqual([
      'dir1/0',
      'dir1/0',
      'dir1/2',
    ]);
    second.run.fetchFailed(id(2), { executorId: 'e1' }, lost);
    expect(names(second.run.start())).toEqual(['1:0,2@0']);
    expect(second.run.isFirst(id(1), 0)).toBe(false);
    // The copy of the first job is its own.
    expect(first.run.blocks(id(1), 0)).toHaveLength(3);
    second.run.cancel();
    second.run.close();
    const third = setup(shared, collect, shuffles);
    expect(names(third.run.start())).toEqual(['1:0,2@0']);
    expect(third.run.isFirst(id(1), 2)).toBe(false);
  });

  it('refuses a map output with another number of buckets', () => {
    const { run, end } = setup(words());
    run.start();
    expect(() => end(1, 0, 'e1', [1])).toThrow(/made 1 buckets instead of 2/);
  });

  it('ends every schedule of losses in success or in the cause, and counts every task once', () => {
    const base = words();
    const shapes: RddNode[] = [
      base,
      shuffle(words(), 2),
      merge('zip', shuffle(base, 2), shuffle(base, 2)),
      shuffle({ kind: 'union', parents: [words(), rows([4], []), shuffle(words(), 2)] }, 2),
    ];
    const step = fc.record({
      what: fc.constantFrom('end', 'end', 'end', 'end', 'lose', 'replay', 'fetch-failed'),
      which: fc.nat(1_000),
      where: fc.nat(1_000),
    });
    fc.assert(
      fc.property(fc.constantFrom(...shapes), fc.array(step, { maxLength: 150 }), (node, steps) => {
        const model = new ClusterModel(stagesOf(node));
        for (const { what, which, where } of steps) {
          if (what === 'lose') model.lose(where);
          else if (what === 'replay') model.replay(which);
          else if (what === 'fetch-failed') model.fetchFailsFor(which, where);
          else model.end(which, where);
        }
        for (let round = 0; round < 2_000 && !model.run.finished; round++) model.end(0, round);
        expect(model.run.finished).toBe(true);
        if (model.run.failure === undefined) model.expectComplete();
        else expect(model.run.failure).toBe(lost);
      }),
      { numRuns: 400 },
    );
  });
});
