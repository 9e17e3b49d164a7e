import { describe, expect, it } from '@jest/globals';
import type { StreamingContext } from '@millrace/api';
import { MillraceError } from '@millrace/common';
import { edit, run, targets } from '../../../test/offset-edits.ts';
import { type World, world } from '../../../test/world.ts';
import type { OffsetChange } from '../../offset-report.ts';
import { loggedOffsets } from '../../submission/logged-offsets.ts';
import { readLog, recoverLog } from '../log/log-reader.ts';
import { checkLog } from '../testing/checked-logs.ts';
import { pump } from '../testing/pump.ts';
import { countTask, createEngine, rangeOfTask, stream } from '../testing/run-engine.ts';

const earliest = { kind: 'earliest' } as const;

describe('offsets of an application with a batch that failed', () => {
  /** A first batch that stays pending, of a stream that begins at the end: views-0 at 100, views-1 at 50. */
  async function failedFirst(): Promise<World> {
    let isPoisoned = true;
    const setup = world(
      (ssc) =>
        stream(ssc, 'views', { startFrom: 'latest' }).foreachRDD(async (rdd) => void (await rdd.count())),
      {
        perform: (set, task) =>
          isPoisoned && rangeOfTask(task)?.partition === 0
            ? { error: MillraceError.toRecord(new MillraceError('VALUE_DECODE', 'views-0 at 100')) }
            : countTask(set, task),
      },
    );
    const { failure } = await run(setup, async () => {
      setup.kafka.produce('views', 0, 3);
      setup.kafka.produce('views', 1, 2);
    });
    expect(failure).toMatchObject({ code: 'VALUE_DECODE' });
    isPoisoned = false;
    return setup;
  }

  it('of a first run: what is not named is read from where the batch began', async () => {
    const setup = await failedFirst();
    const dry = await edit(setup, { kind: 'exact', offsets: { 'views-0': 101 } }, { execute: false });
    expect(targets(dry)).toEqual([
      ['views-0', undefined, 101],
      ['views-1', undefined, 50],
    ]);
    expect(dry.partitions.map(({ planned }) => planned)).toEqual([
      { from: 100, until: 103 },
      { from: 50, until: 52 },
    ]);
    expect(dry).toMatchObject({ givesUp: true, lastBatchTime: undefined });
    await edit(setup, { kind: 'exact', offsets: { 'views-0': 101 } });
    expect(await run(setup)).toEqual({
      read: ['views-0 [101, 103)', 'views-1 [50, 52)'],
      failure: undefined,
    });
    expect((await checkLog(setup.files)).findings).toEqual([]);
  });

  it('of a first run, of an input that the job does not have any more: it keeps its place', async () => {
    const setup = await failedFirst();
    const pending = recoverLog(setup.files).state.pending;
    const other = {
      ...setup,
      build: (ssc: StreamingContext) => stream(ssc, 'clicks').foreachRDD(() => undefined),
    };
    setup.kafka.create('clicks', [7]);
    const report = await edit(other, { kind: 'exact', offsets: { 'clicks-0': 4 } });
    expect(targets(report)).toEqual([
      ['clicks-0', undefined, 4],
      ['views-0', undefined, 100],
      ['views-1', undefined, 50],
    ]);
    const positions = recoverLog(setup.files).state.positions.get(0);
    expect(positions?.get('views-1')).toMatchObject({
      offset: 50,
      topicId: pending?.inputs[0]?.ranges[1]?.topicId,
    });
  });

  it('of a first run, of a topic that was created anew: what is not named stays in the old one, and that is refused', async () => {
    const setup = await failedFirst();
    const before = recoverLog(setup.files).state.pending?.inputs[0]?.ranges[1]?.topicId;
    setup.kafka.create('views', [200, 200]);
    const report = await edit(setup, earliest, { only: ['views-0'] });
    expect(report.partitions.map(({ target, isRecreated }) => [target, isRecreated])).toEqual([
      [0, true],
      [50, false],
    ]);
    const positions = recoverLog(setup.files).state.positions.get(0);
    expect(positions?.get('views-1')?.topicId).toBe(before);
    const { engine } = await createEngine(setup);
    await expect(pump(setup.clock, engine.validate())).rejects.toMatchObject({ code: 'TOPIC_RECREATED' });
  });

  it('of a first run: no batch counts as committed that was given up, also behind a rotation', async () => {
    const setup = await failedFirst();
    await edit(setup, { kind: 'shift', by: 1 });
    expect(loggedOffsets('test', setup.files).lastBatchTime).toBeUndefined();
    expect((await edit(setup, { kind: 'shift', by: 1 })).lastBatchTime).toBeUndefined();
    expect(loggedOffsets('test', setup.files).lastBatchTime).toBeUndefined();
    await run(setup);
    expect(loggedOffsets('test', setup.files).lastBatchTime).toBeGreaterThan(0);
  });

  it('of a first run show what is planned', async () => {
    const setup = await failedFirst();
    expect(
      loggedOffsets('test', setup.files).partitions.map(({ position, planned }) => [position, planned]),
    ).toEqual([
      [undefined, { from: 100, until: 103 }],
      [undefined, { from: 50, until: 52 }],
    ]);
  });

  it.each<[string, OffsetChange['target']]>([
    ['named', { kind: 'exact', offsets: { 'views-0': 100, 'views-1': 50 } }],
    ['not moved', { kind: 'shift', by: 0 }],
  ])('of a first run can be given up from where it began: %s', async (_, target) => {
    const setup = await failedFirst();
    const { pending } = recoverLog(setup.files).state;
    expect((await edit(setup, target)).executed).toBe(true);
    expect(recoverLog(setup.files).state.pending).toBeUndefined();
    expect(readLog(setup.files).moves).toMatchObject([{ abandons: pending?.batchTime }]);
    expect((await run(setup)).read).toEqual(['views-0 [100, 103)', 'views-1 [50, 52)']);
  });

  it.each<[string, OffsetChange['target']]>([
    ['named', { kind: 'exact', offsets: { 'views-0': 103, 'views-1': 52 } }],
    ['not moved', { kind: 'shift', by: 0 }],
  ])('of a later run can be given up from where it began: %s', async (_, target) => {
    const setup = await failedFirst();
    await run(setup);
    setup.kafka.produce('views', 0, 5);
    let isPoisoned = true;
    const perform: World['perform'] = (set, task) =>
      isPoisoned
        ? { error: MillraceError.toRecord(new MillraceError('VALUE_DECODE', 'views-0 at 103')) }
        : countTask(set, task);
    expect((await run({ ...setup, perform })).failure).toMatchObject({ code: 'VALUE_DECODE' });
    isPoisoned = false;
    const { lastCommitted, pending } = recoverLog(setup.files).state;
    const dry = await edit(setup, target, { execute: false });
    expect(dry).toMatchObject({ givesUp: true, executed: false, lastBatchTime: lastCommitted });
    expect(dry.notes).toEqual([expect.stringContaining('is read again')]);
    expect(recoverLog(setup.files).state.pending).toEqual(pending);
    expect(await edit(setup, target)).toMatchObject({ givesUp: true, executed: true });
    expect(recoverLog(setup.files).state.pending).toBeUndefined();
    expect(loggedOffsets('test', setup.files).lastBatchTime).toBe(lastCommitted);
    expect(await run({ ...setup, perform })).toEqual({ read: ['views-0 [103, 108)'], failure: undefined });
    expect(readLog(setup.files).batches.at(-1)?.planned.batchTime).toBeGreaterThan(pending?.batchTime ?? 0);
    expect((await checkLog(setup.files)).findings).toEqual([]);
    // Without one there is nothing to give up.
    expect(await edit(setup, { kind: 'shift', by: 0 })).toMatchObject({ givesUp: false, executed: false });
  });

  it('is not given up where a change says nothing of any partition', async () => {
    const setup = await failedFirst();
    expect(await edit(setup, { kind: 'group' })).toMatchObject({ givesUp: false, executed: false });
    expect(recoverLog(setup.files).state.pending).toBeDefined();
  });
});
