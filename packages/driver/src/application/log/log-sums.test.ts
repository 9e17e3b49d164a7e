import { describe, expect, it } from '@jest/globals';
import { batch, checkLog, METRICS, openLog, rewritten, run, told } from '../testing/checked-logs.ts';
import { MemoryLogFiles } from '../testing/memory-log-files.ts';
import { readLog, recoverLog } from './log-reader.ts';
import type { LogRecord } from './log-record.ts';
import { NO_SUMS } from './logged-sums.ts';

/** Ten batches in many segments, of two epochs; two of them left something out. */
function counted(): MemoryLogFiles {
  const files = new MemoryLogFiles();
  const first = openLog(files, 300);
  run(first, 0, 4);
  first.plan(batch(4));
  first.commit(batch(4).batchTime, { ...METRICS, undecodable: 3, deadLetters: 2 });
  first.plan(batch(5));
  // A host that died here has told nobody of what it committed; the next one goes on.
  const second = openLog(files, 300);
  second.commit(batch(5).batchTime, { ...METRICS, deleted: 7, undecodable: 1 });
  run(second, 6, 10);
  return files;
}

const SUMS = { batches: 10, records: 200, undecodable: 4, deleted: 7, deadLetters: 2 };

const last = (files: MemoryLogFiles): string => [...files.contents.keys()].toSorted().at(-1) ?? '';

const withSums = (change: (sums: object | undefined) => object | undefined) => (records: LogRecord[]) =>
  records.map((record) => {
    if (record.kind !== 'anchor') return record;
    const { sums, ...anchor } = record;
    const other = change(sums);
    return { ...anchor, ...(other && { sums: other }) } as LogRecord;
  });

describe('what a log says was read', () => {
  it('are sums over all batches that were committed, over rotations and epochs', async () => {
    const files = counted();
    expect(files.contents.size).toBeGreaterThan(3);
    expect(recoverLog(files).state.sums).toEqual(SUMS);
    expect(readLog(files).state.sums).toEqual(SUMS);
    expect(told(await checkLog(files))).toBe('');
    expect(openLog(files).state.sums).toEqual(SUMS);
    expect(told(await checkLog(files))).toBe('');
  });

  it('is checked against what the batches themselves say', async () => {
    const files = counted();
    rewritten(
      files,
      withSums((sums) => ({ ...sums, records: 1 })),
      last(files),
    );
    expect(told(await checkLog(files))).toContain('says something else of what was read');
  });

  it('begins at nothing where a version that does not count has written', async () => {
    const files = counted();
    rewritten(
      files,
      withSums(() => undefined),
      last(files),
    );
    expect(told(await checkLog(files))).toBe('');
    const { sums } = recoverLog(files).state;
    expect(sums.batches).toBeLessThan(10);
    const log = openLog(files);
    run(log, 10, 12);
    expect(log.state.sums.batches).toBe(sums.batches + 2);
    expect(told(await checkLog(files))).toBe('');
  });

  it('is nothing that is written before there is something', () => {
    const files = new MemoryLogFiles();
    expect(openLog(files).state.sums).toEqual(NO_SUMS);
    expect(Buffer.from([...files.contents.values()][0] ?? '').toString()).not.toContain('sums');
  });
});
