import { describe, expect, it } from '@jest/globals';
import {
  batch,
  checkLog,
  METRICS,
  openLog,
  planOfRanges,
  run,
  sound,
  told,
} from '../testing/checked-logs.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import type { ApplicationLog } from './application-log.ts';
import type { OffsetMoves } from './log-record.ts';

describe('the check of a log', () => {
  it('says what a sound log holds', async () => {
    const files = sound();
    const log = openLog(files);
    log.commit(4_000, METRICS);
    expect(await checkLog(files)).toMatchObject({
      findings: [],
      segments: 2,
      firstEpoch: 1,
      lastEpoch: 2,
      fenced: 0,
      tornBytes: 0,
      records: 11,
      planned: 4,
      committed: 4,
      resumed: 1,
      firstBatchTime: 1_000,
      lastCommitted: 4_000,
      pending: undefined,
      partitions: [0, 1].map((partition) => ({
        input: 0,
        topic: 'vüews',
        partition,
        from: 0,
        until: 40,
        read: 40,
        skipped: { request: 0, 'data-loss': 0 },
        repeated: 0,
      })),
    });
    expect(await checkLog(sound())).toMatchObject({ findings: [], pending: 4_000, lastCommitted: 3_000 });
    expect(await checkLog(new MemoryLogFiles())).toMatchObject({ findings: [], segments: 0 });
  });

  it('follows rotations, restarts, history and retention', async () => {
    const files = new MemoryLogFiles();
    for (let start = 0; start < 5; start++) run(openLog(files, 1_000, 3_000), start * 20, start * 20 + 20);
    expect(told(await checkLog(files))).toBe('');
    expect(files.contents.size).toBeGreaterThan(10);
    for (const name of files.list().toSorted().slice(0, 5)) files.remove(name);
    const check = await checkLog(files);
    expect(told(check)).toBe('');
    expect(check.partitions[0]).toMatchObject({ until: 1_000 });
    expect(check.partitions[0]?.from).toBeGreaterThan(0);
  });

  it('takes a log that was begun anew, and knows the outputs of the one before', async () => {
    const files = sound();
    run(openLog(files, 1 << 20, 0, { knownEpoch: 1, anew: true }), 0, 2);
    const log = openLog(files);
    expect(log.state.outputs.size).toBe(1);
    expect(await checkLog(files)).toMatchObject({ findings: [], firstEpoch: 2, lastEpoch: 3, committed: 2 });
  });

  it.each([
    ['counts what moves skipped and what they go back over', 'AAAA', [5, 10]],
    ['counts nothing where a move leads to another topic', 'BBBB', [0, 0]],
  ])('%s, and takes a batch that was given up', async (_, topicId, [again0, again1]) => {
    const files = sound();
    const log = openLog(files);
    const moves = (by: number): OffsetMoves['inputs'] => [
      {
        inputId: 0,
        moves: [0, 1].map((partition) => ({
          topic: 'vüews',
          partition,
          from: 30,
          offset: 30 + by * (partition + 1),
          topicId,
          leaderEpoch: 0,
        })),
      },
    ];
    log.move({ at: 1, reason: 'request', abandons: 4_000, inputs: moves(-5) });
    const back = await checkLog(files);
    expect(told(back)).toBe('');
    expect(back).toMatchObject({ givenUp: 1, moves: 1, lastCommitted: 4_000, pending: undefined });
    expect(back.partitions.map(({ repeated, until }) => [repeated, until])).toEqual([
      [again0, 25],
      [again1, 20],
    ]);
    const ranges = [25, 20].map((fromOffset, partition) => ({
      topic: 'vüews',
      partition,
      fromOffset,
      untilOffset: 50,
      topicId,
      leaderEpoch: 0,
    }));
    log.plan(planOfRanges(5_000, [{ inputId: 0, ranges }]));
    log.commit(5_000, METRICS);
    expect(told(await checkLog(files))).toBe('');
  });

  it('leaves out what a fenced epoch wrote behind its fence point, and a torn tail, and counts them', async () => {
    const files = new MemoryLogFiles();
    const zombie = openLog(files);
    run(zombie, 0, 2);
    let successor: ApplicationLog | undefined;
    files.fault = () => {
      files.fault = undefined;
      successor = openLog(files);
    };
    expect(() => zombie.plan(batch(2))).toThrow(/overtaken/);
    run(successor as ApplicationLog, 2, 4);
    const name = 'epoch-00000002-000001.log';
    files.contents.set(name, files.read(name).slice(0, -7));
    files.create('epoch-00000003-000001.log');
    const check = await checkLog(files);
    expect(told(check)).toBe('');
    expect(check).toMatchObject({ fenced: 1, lastEpoch: 3, segments: 3, committed: 3, pending: 4_000 });
    expect(check.tornBytes).toBeGreaterThan(50);
  });
});
