import { describe, expect, it } from '@jest/globals';
import { silentLogger } from '@millrace/common';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import { ApplicationLog } from './application-log.ts';
import { readLog, recoverLog } from './log-reader.ts';
import type { PlannedBatch } from './log-record.ts';

function open(files: MemoryLogFiles, historyMs?: number, segmentBytes = 1 << 20): ApplicationLog {
  const options = { files, logger: silentLogger, segmentBytes, segmentsRetained: 1 };
  return ApplicationLog.open({ ...options, ...(historyMs !== undefined && { historyMs }) });
}

/** Batch n, at second n, reads [10n, 10n + 10). */
function batch(n: number): Omit<PlannedBatch, 'epoch'> {
  const range = { topic: 'views', partition: 0, fromOffset: 10 * n, untilOffset: 10 * n + 10 };
  const inputs = [{ inputId: 0, ranges: [{ ...range, topicId: 'AAAA', leaderEpoch: 2 }] }];
  return { batchTime: 1_000 * n, programHash: 'p', planHash: `h${n}`, intervals: 1, inputs };
}

function run(log: ApplicationLog, from: number, until: number): void {
  for (let n = from; n < until; n++) {
    log.plan(batch(n));
    log.commit(batch(n).batchTime, { records: 10, tasks: 1, processingMs: 1 });
  }
}

const times = (files: MemoryLogFiles, keepMs?: number): number[] =>
  recoverLog(files, keepMs).state.history.batches.map(({ batchTime }) => batchTime / 1_000);

describe('the history of a log', () => {
  it('has the batches that windows need, with their ranges, and no others', () => {
    const files = new MemoryLogFiles();
    run(open(files, 3_000), 1, 8);
    expect(times(files)).toEqual([5, 6, 7]);
    const [oldest] = recoverLog(files).state.history.batches;
    expect(oldest).toEqual({ batchTime: 5_000, previous: 4_000, inputs: batch(5).inputs });
  });

  it('goes on over rotations and into a new epoch', () => {
    const files = new MemoryLogFiles();
    run(open(files, 4_000, 200), 1, 30);
    expect(files.contents.size).toBe(2);
    const log = open(files, 4_000, 200);
    expect(log.state.history.batches.map(({ batchTime }) => batchTime / 1_000)).toEqual([26, 27, 28, 29]);
    run(log, 30, 32);
    expect(times(files)).toEqual([28, 29, 30, 31]);
    expect(readLog(files).state).toEqual(log.state);
  });

  it('is not kept when there are no windows', () => {
    const files = new MemoryLogFiles();
    run(open(files), 1, 5);
    expect(times(files)).toEqual([]);
    const written = [...files.contents.values()].map((bytes) => Buffer.from(bytes).toString()).join('');
    expect(written).not.toContain('history');
  });

  it('of a log that kept none is what the newest segment still has', () => {
    const files = new MemoryLogFiles();
    run(open(files), 1, 5);
    expect(times(files, 3_000)).toEqual([2, 3, 4]);
    const log = open(files, 3_000);
    expect(log.state.history.batches.map(({ batchTime }) => batchTime / 1_000)).toEqual([2, 3, 4]);
    // Shorter windows: what they do not need is dropped.
    expect(open(files, 1_000).state.history.batches.map(({ batchTime }) => batchTime)).toEqual([4_000]);
    // It does not come back.
    const again = open(files, 3_000).state.history;
    expect(again.batches.map(({ batchTime, previous }) => [batchTime, previous])).toEqual([[4_000, 3_000]]);
  });

  it('does not hold the batch that was planned and not committed', () => {
    const files = new MemoryLogFiles();
    const log = open(files, 3_000);
    run(log, 1, 4);
    log.plan(batch(4));
    const { state } = open(files, 3_000);
    expect([state.pending?.batchTime, ...state.history.batches.map(({ batchTime }) => batchTime)]).toEqual([
      4_000, 1_000, 2_000, 3_000,
    ]);
  });

  it('is written again only when as much was appended', () => {
    const files = new MemoryLogFiles();
    let rotations = 0;
    files.fault = (name) => {
      if (!files.contents.has(name)) rotations++;
    };
    run(open(files, 100_000, 200), 1, 200);
    // 199 batches of some 400 bytes; an anchor of 100 batches has some 12,000.
    expect(rotations).toBeGreaterThan(3);
    expect(rotations).toBeLessThan(25);
  });
});
