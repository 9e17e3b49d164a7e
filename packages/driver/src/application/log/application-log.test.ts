import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@millrace/common';
import { batch, codeOf, METRICS, run } from '../testing/checked-logs.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import { ApplicationLog } from './application-log.ts';
import { directoryLogFiles, type LogFiles } from './log-files.ts';
import { readLog, recoverLog } from './log-reader.ts';

function open(
  files: LogFiles,
  options: { segmentBytes?: number; segmentsRetained?: number } = {},
): ApplicationLog {
  return ApplicationLog.open({
    files,
    logger: silentLogger,
    segmentBytes: 1 << 20,
    segmentsRetained: 8,
    ...options,
  });
}

const offsets = (files: LogFiles): number[] =>
  [...(recoverLog(files).state.positions.get(0)?.values() ?? [])].map(({ offset }) => offset);

describe('the log of an application', () => {
  it('is empty on a first run, and begins with epoch 1', () => {
    const files = new MemoryLogFiles();
    expect(recoverLog(files)).toMatchObject({ epoch: 0, end: undefined });
    const log = open(files);
    expect(log.epoch).toBe(1);
    expect(log.state).toMatchObject({ lastCommitted: undefined, pending: undefined });
  });

  it('remembers positions, the last committed batch and its ranges over restarts', () => {
    const files = new MemoryLogFiles();
    run(open(files), 0, 3);
    const log = open(files);
    expect(log.epoch).toBe(2);
    expect(log.state.lastCommitted).toBe(3_000);
    expect(log.state.positions.get(0)?.get('vüews-1')).toEqual({
      topic: 'vüews',
      partition: 1,
      offset: 30,
      topicId: 'AAAA',
      leaderEpoch: 2,
    });
    run(log, 3, 5);
    const read = readLog(files);
    expect(
      read.batches.map(({ planned, committed }) => [planned.batchTime, planned.epoch, committed?.epoch]),
    ).toEqual([
      [1_000, 1, 1],
      [2_000, 1, 1],
      [3_000, 1, 1],
      [4_000, 2, 2],
      [5_000, 2, 2],
    ]);
    expect(read.batches[4]?.planned).toEqual({ ...batch(4), epoch: 2 });
    expect(read.batches[4]?.committed?.metrics).toEqual(METRICS);
  });

  it.each([
    ['known where it ended', 5, 5],
    ['known where it began, of a version that tells of no other', undefined, 2],
  ])('remembers with a position the leader epoch that was %s', (_what, untilEpoch, expected) => {
    const files = new MemoryLogFiles();
    const [range] = batch(0).inputs[0]?.ranges ?? [];
    if (!range) throw new Error('a range');
    const ranges = [untilEpoch === undefined ? range : { ...range, untilEpoch }];
    const epochs = (): unknown[] =>
      [...(open(files).state.positions.get(0)?.values() ?? [])].map(({ leaderEpoch }) => leaderEpoch);
    open(files).plan({ ...batch(0), inputs: [{ inputId: 0, ranges }] });
    const log = open(files);
    expect(log.state.pending?.inputs).toEqual([{ inputId: 0, ranges }]);
    log.commit(batch(0).batchTime, METRICS);
    expect(epochs()).toEqual([expected]);
    expect(epochs()).toEqual([expected]);
  });

  it('gives a batch that was planned and not committed to each later epoch, until one commits it', () => {
    const files = new MemoryLogFiles();
    const first = open(files);
    run(first, 0, 1);
    first.plan(batch(1));
    expect(open(files).state.pending).toEqual({ ...batch(1), epoch: 1 });
    const third = open(files);
    expect(third.state.pending).toEqual({ ...batch(1), epoch: 1 });
    expect(() => third.plan(batch(2))).toThrow(/is planned after 2000 was committed/);
    third.commit(2_000, METRICS);
    expect(third.state).toMatchObject({ pending: undefined, lastCommitted: 2_000 });
    expect(readLog(files).batches.at(-1)).toMatchObject({ planned: { epoch: 1 }, committed: { epoch: 3 } });
  });

  it('refuses a plan that leaves a gap or goes back, and a commit of another batch', () => {
    const log = open(new MemoryLogFiles());
    run(log, 0, 1);
    expect(() => log.plan(batch(2))).toThrow(/goes on at 10, not at 20/);
    expect(() => log.plan({ ...batch(1), batchTime: 1_000 })).toThrow(/batch time/);
    log.plan(batch(1));
    expect(() => log.commit(1_000, METRICS)).toThrow(/commit of batch 1000/);
  });

  it('fences the older holder: nothing that it writes after the new epoch counts', () => {
    const files = new MemoryLogFiles();
    const zombie = open(files);
    run(zombie, 0, 2);
    const before = files.copy().contents.size;
    const successor = open(files);
    expect(codeOf(() => zombie.plan(batch(2)))).toBe('FENCED');
    expect(codeOf(() => zombie.commit(3_000, METRICS))).toBe('FENCED');
    expect(before).toBe(1);
    run(successor, 2, 3);
    expect(readLog(files).batches).toHaveLength(3);
  });

  it('ignores what an old epoch wrote past the fence point, and that one learns that it is fenced', () => {
    const files = new MemoryLogFiles();
    const zombie = open(files);
    run(zombie, 0, 2);
    let successor: ApplicationLog | undefined;
    // The successor starts between the zombie's check and its write.
    files.fault = () => {
      files.fault = undefined;
      successor = open(files);
    };
    expect(codeOf(() => zombie.plan(batch(2)))).toBe('FENCED');
    expect(successor?.state.pending).toBeUndefined();
    expect(readLog(files).batches).toHaveLength(2);
    run(successor as ApplicationLog, 2, 4);
    expect(readLog(files).batches.map(({ planned }) => planned.epoch)).toEqual([1, 1, 2, 2]);
  });

  it('survives a start that died between taking its epoch and its first record', () => {
    const files = new MemoryLogFiles();
    run(open(files), 0, 2);
    files.create('epoch-00000002-000001.log');
    const log = open(files);
    expect(log.epoch).toBe(3);
    expect(log.state.lastCommitted).toBe(2_000);
  });

  it('rotates by size and keeps as many segments as it should', () => {
    const files = new MemoryLogFiles();
    const log = open(files, { segmentBytes: 2_000, segmentsRetained: 3 });
    run(log, 0, 200);
    expect(files.contents.size).toBe(4);
    expect([...files.contents.values()].every((content) => content.length < 3_000)).toBe(true);
    expect(offsets(files)).toEqual([2_000, 2_000]);
    const read = readLog(files);
    expect(read.batches.length).toBeGreaterThan(10);
    expect(read.batches.at(-1)?.planned.batchTime).toBe(200_000);
    for (let start = 0; start < 10; start++) open(files, { segmentsRetained: 3 });
    expect(files.contents.size).toBe(4);
    expect(offsets(files)).toEqual([2_000, 2_000]);
  });

  it('does not rotate again and again when the anchor alone is larger than a segment', () => {
    const files = new MemoryLogFiles();
    const log = open(files, { segmentBytes: 600, segmentsRetained: 100 });
    const ranges = Array.from({ length: 1_000 }, (_, partition) => ({
      topic: 't',
      partition,
      fromOffset: 0,
      untilOffset: 0,
      leaderEpoch: 0,
    }));
    for (let n = 1; n < 4; n++) {
      log.plan({ ...batch(0), batchTime: n * 1_000, inputs: [{ inputId: 0, ranges }] });
      log.commit(n * 1_000, METRICS);
    }
    const wide = files.contents.size;
    for (let n = 4; n < 10; n++) {
      log.plan({ ...batch(0), batchTime: n * 1_000, inputs: [] });
      log.commit(n * 1_000, METRICS);
    }
    expect(files.contents.size - wide).toBeLessThanOrEqual(3);
  });

  it.each(['ENOSPC', 'EIO'])('stops for good at %s', (code) => {
    const files = new MemoryLogFiles();
    const log = open(files);
    run(log, 0, 1);
    files.fault = () => {
      throw Object.assign(new Error(`${code}: no`), { code });
    };
    expect(codeOf(() => log.plan(batch(1)))).toBe('LOG_WRITE_FAILED');
    files.fault = undefined;
    expect(codeOf(() => log.plan(batch(1)))).toBe('LOG_WRITE_FAILED');
    expect(open(files).state).toMatchObject({ lastCommitted: 1_000, pending: undefined });
  });
});

describe('a log in a directory', () => {
  it('does the same on a disk', () => {
    const directory = mkdtempSync(join(tmpdir(), 'millrace-log-'));
    try {
      const files = directoryLogFiles(join(directory, 'views', 'log'));
      const log = open(files, { segmentBytes: 1_000, segmentsRetained: 2 });
      run(log, 0, 20);
      log.close();
      expect(codeOf(() => log.plan(batch(20)))).toBe('CANCELLED');
      const again = open(files);
      expect(again.epoch).toBe(2);
      expect(again.state.lastCommitted).toBe(20_000);
      expect(readdirSync(files.where).length).toBeLessThanOrEqual(9);
      expect(readLog(files.where).batches.at(-1)?.committed).toBeDefined();
      again.close();
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
