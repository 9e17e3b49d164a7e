import { describe, expect, it } from '@jest/globals';
import type { StreamingContext } from '@millrace/api';
import { MillraceError, silentLogger } from '@millrace/common';
import { edit, run, targets } from '../../../test/offset-edits.ts';
import { type World, world } from '../../../test/world.ts';
import type { OffsetChange } from '../../offset-report.ts';
import { ApplicationLog } from '../log/application-log.ts';
import { readLog, recoverLog } from '../log/log-reader.ts';
import { checkLog } from '../testing/checked-logs.ts';
import { pump } from '../testing/pump.ts';
import { countTask, createEngine, rangeOfTask, stream } from '../testing/run-engine.ts';

const count = (ssc: StreamingContext): void =>
  stream(ssc, 'views').foreachRDD(async (rdd) => void (await rdd.count()));

const earliest = { kind: 'earliest' } as const;
const latest = { kind: 'latest' } as const;

describe('offsets of an application that is over', () => {
  it('are where the next start goes on, and the log says who skipped what', async () => {
    const setup = world(count);
    await run(setup);
    setup.kafka.produce('views', 0, 30);
    const report = await edit(setup, { kind: 'exact', offsets: { 'views-0': 120, 'views-1': 10 } });
    expect(report).toMatchObject({ executed: true, epoch: 2, notes: [] });
    expect(targets(report)).toEqual([
      ['views-0', 100, 120],
      ['views-1', 50, 10],
    ]);
    const { read, failure } = await run(setup);
    expect([read, failure]).toEqual([['views-0 [120, 130)', 'views-1 [10, 50)'], undefined]);
    const { moves } = readLog(setup.files);
    expect(moves).toMatchObject([
      {
        epoch: 2,
        reason: 'request',
        abandons: undefined,
        inputs: [
          {
            inputId: 0,
            moves: [
              { topic: 'views', partition: 0, from: 100, offset: 120 },
              { topic: 'views', partition: 1, from: 50, offset: 10 },
            ],
          },
        ],
      },
    ]);
  });

  it('are where a start goes on that was checked before they were set', async () => {
    const setup = world(count);
    await run(setup);
    setup.kafka.produce('views', 0, 30);
    const { read, failure } = await run(setup, () =>
      edit(setup, { kind: 'exact', offsets: { 'views-0': 120 } }),
    );
    expect([read, failure]).toEqual([['views-0 [120, 130)'], undefined]);
  });

  it('stay when it is a dry run: not a byte is written', async () => {
    const setup = world(count);
    await run(setup);
    const before = setup.files.list().map((name) => [name, Buffer.from(setup.files.read(name)).toString()]);
    const report = await edit(setup, earliest, { execute: false });
    expect(report.executed).toBe(false);
    expect(targets(report)).toEqual([
      ['views-0', 100, 0],
      ['views-1', 50, 0],
    ]);
    expect(setup.files.list().map((name) => [name, Buffer.from(setup.files.read(name)).toString()])).toEqual(
      before,
    );
  });

  it.each<[string, OffsetChange['target'], unknown[]]>([
    ['the end', latest, [130, 60]],
    ['the beginning', earliest, [20, 0]],
    ['a time', { kind: 'timestamp', timestamp: 42 }, [42, 42]],
    ['the group', { kind: 'group' }, [77, undefined]],
    ['so many on, but not beyond the end', { kind: 'shift', by: 20 }, [120, 60]],
    ['so many back, but not before the beginning', { kind: 'shift', by: -90 }, [20, 0]],
  ])('go to %s', async (_what, target, expected) => {
    const setup = world(count);
    await run(setup);
    setup.kafka.produce('views', 0, 30);
    setup.kafka.produce('views', 1, 10);
    setup.kafka.partition('views', 0).earliest = 20;
    setup.kafka.committed.set('views-0', 77);
    const report = await edit(setup, target);
    expect(report.partitions.map((each) => each.target)).toEqual(expected);
  });

  it('move for the named topics and partitions only', async () => {
    const setup = world(count);
    await run(setup);
    const report = await edit(setup, earliest, { only: ['views-1'] });
    expect(targets(report)).toEqual([
      ['views-0', 100, undefined],
      ['views-1', 50, 0],
    ]);
    expect(readLog(setup.files).moves[0]?.inputs[0]?.moves).toHaveLength(1);
  });

  it('before the first batch move what is named: the rest begins as the stream says, also after a rotation and another move', async () => {
    const setup = world((ssc) =>
      stream(ssc, 'views', { startFrom: 'latest' }).foreachRDD(async (rdd) => void (await rdd.count())),
    );
    setup.kafka.create('views', [100, 50, 30]);
    const note = (names: string): unknown => expect.stringContaining(`(${names}) begins as its stream says`);
    const dry = await edit(setup, { kind: 'exact', offsets: { 'views-0': 5 } }, { execute: false });
    expect(dry.notes).toEqual([note('views-1, views-2')]);
    const first = await edit(setup, { kind: 'exact', offsets: { 'views-0': 5 } });
    expect([first.executed, first.notes]).toEqual([true, dry.notes]);
    expect((await edit(setup, { kind: 'exact', offsets: { 'views-1': 40 } })).notes).toEqual([
      note('views-2'),
    ]);
    setup.kafka.committed.set('views-2', 20);
    const { read, failure } = await run(setup);
    expect([read, failure]).toEqual([
      ['views-0 [5, 100)', 'views-1 [40, 50)', 'views-2 [20, 30)'],
      undefined,
    ]);
    setup.kafka.addPartition('views', 7);
    expect((await edit(setup, { kind: 'exact', offsets: { 'views-0': 90 } })).notes).toEqual([]);
    expect((await run(setup)).read).toEqual(['views-0 [90, 100)', 'views-3 [0, 7)']);
  });

  it('give up the batch that failed: what is not skipped of it is read again, under another batch time', async () => {
    const poison: Pick<World, 'perform'> = {
      perform: (set, task) =>
        rangeOfTask(task)?.fromOffset === 0 && rangeOfTask(task)?.partition === 0
          ? { error: MillraceError.toRecord(new MillraceError('VALUE_DECODE', 'views-0 at 17')) }
          : countTask(set, task),
    };
    const setup = world(count, poison);
    expect((await run(setup)).failure).toMatchObject({ code: 'VALUE_DECODE' });
    const failed = recoverLog(setup.files).state.pending?.batchTime ?? 0;
    const report = await edit(setup, { kind: 'exact', offsets: { 'views-0': 18 } });
    expect(report).toMatchObject({ pendingBatchTime: failed, executed: true });
    expect(report.notes).toEqual([expect.stringContaining('it is given up')]);
    const { read, failure } = await run(setup);
    expect([read, failure]).toEqual([['views-0 [18, 100)', 'views-1 [0, 50)'], undefined]);
    const { batches, moves } = readLog(setup.files);
    expect(moves[0]?.abandons).toBe(failed);
    expect(batches.map(({ committed }) => committed !== undefined)).toEqual([false, true]);
    expect(batches[1]?.planned.batchTime).toBeGreaterThan(failed);
  });

  it('survive a rotation of the log', async () => {
    const setup = world(count);
    await run(setup);
    await edit(setup, earliest);
    const log = ApplicationLog.open({
      files: setup.files,
      logger: silentLogger,
      segmentBytes: 1,
      segmentsRetained: 0,
    });
    log.close();
    expect(
      [...(recoverLog(setup.files).state.positions.get(0)?.values() ?? [])].map(({ offset }) => offset),
    ).toEqual([0, 0]);
  });

  it('lead out of a topic that was created anew: its id is noted with the position', async () => {
    const setup = world(count);
    await run(setup);
    setup.kafka.create('views', [5, 6]);
    const { engine } = await createEngine(setup);
    await expect(pump(setup.clock, engine.validate())).rejects.toMatchObject({ code: 'TOPIC_RECREATED' });
    await edit(setup, earliest);
    expect((await run(setup)).read).toEqual(['views-0 [0, 5)', 'views-1 [0, 6)']);
  });

  it('lead out of a topic that was created anew also where it is as empty as it was', async () => {
    const setup = world(count);
    setup.kafka.create('views', [5, 0]);
    await run(setup);
    setup.kafka.create('views', [5, 0]);
    const dry = await edit(setup, earliest, { execute: false });
    expect(dry.partitions.map(({ target, isRecreated }) => [target, isRecreated])).toEqual([
      [0, true],
      [0, true],
    ]);
    await edit(setup, earliest);
    expect(await run(setup)).toEqual({ read: ['views-0 [0, 5)'], failure: undefined });
    const after = await checkLog(setup.files);
    expect(after.findings).toEqual([]);
    // What was read of the other topic is not read again.
    expect(after.partitions.map(({ repeated }) => repeated)).toEqual([0, 0]);
    const still = await edit(setup, earliest, { execute: false });
    expect(still.partitions.map(({ target, isRecreated }) => [target, isRecreated])).toEqual([
      [0, false],
      [undefined, false],
    ]);
  });

  it.each<[string, OffsetChange['target'], Partial<OffsetChange>, string, string]>([
    [
      'an offset beyond the end',
      { kind: 'exact', offsets: { 'views-0': 101 } },
      {},
      'OFFSET_OUT_OF_RANGE',
      '0 to 100',
    ],
    [
      'a partition that is not read',
      { kind: 'exact', offsets: { 'views-7': 1 } },
      {},
      'BAD_REQUEST',
      'views-7',
    ],
    ['a topic that is not read', earliest, { only: ['clicks'] }, 'BAD_REQUEST', 'clicks'],
    ['an input that there is not', earliest, { inputId: 3 }, 'BAD_REQUEST', 'no input 3'],
  ])('are not moved for %s', async (_what, target, rest, code, text) => {
    const setup = world(count);
    await run(setup);
    const failure = await edit(setup, target, rest).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code, what: expect.stringContaining(text) });
    expect(readLog(setup.files).moves).toEqual([]);
  });

  it('are not moved under an application that runs: it is fenced, and a log that was lost is refused', async () => {
    const setup = world(count);
    await run(setup);
    const { engine } = await createEngine(setup);
    await pump(setup.clock, engine.validate());
    await pump(setup.clock, engine.start());
    await edit(setup, earliest);
    expect(await pump(setup.clock, engine.done)).toMatchObject({ code: 'FENCED' });
    await expect(edit(setup, latest, { knownEpoch: 99 })).rejects.toMatchObject({ code: 'LOG_CORRUPT' });
  });

  it('say which of two streams of a topic is meant', async () => {
    const setup = world((ssc) => {
      count(ssc);
      stream(ssc, 'views', { groupId: 'h' }).foreachRDD(() => undefined);
    });
    await run(setup);
    const target = { kind: 'exact', offsets: { 'views-0': 3 } } as const;
    await expect(edit(setup, target)).rejects.toMatchObject({ what: 'inputs 0, 1 read views-0' });
    const report = await edit(setup, target, { inputId: 1 });
    expect(report.partitions.filter((each) => each.target !== undefined)).toMatchObject([
      { inputId: 1, topic: 'views', partition: 0, target: 3 },
    ]);
  });
});
