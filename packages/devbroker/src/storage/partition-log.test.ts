import { describe, expect, it } from '@jest/globals';
import { encodeRecordBatch, KAFKA_ERROR } from '@millrace/kafka';
import { type AppendResult, PartitionLog } from './partition-log.ts';
import { checkProducedBatch } from './produced-batch.ts';

interface BatchOptions {
  readonly values?: readonly string[];
  readonly timestamp?: number;
  readonly producer?: { readonly id: bigint; readonly epoch: number; readonly sequence: number };
}

function batchOf({ values = ['a'], timestamp = 1000, producer }: BatchOptions = {}): Buffer {
  return encodeRecordBatch(
    values.map((value) => ({ value, timestamp })),
    { now: timestamp, ...(producer ? { producer } : {}) },
  );
}

function append(log: PartitionLog, options: BatchOptions = {}): AppendResult {
  const bytes = batchOf(options);
  const checked = checkProducedBatch(bytes);
  if (!checked.ok) throw new Error(checked.message);
  return log.append(bytes, checked.header);
}

function newLog(retentionBytes = 1_000_000): PartitionLog {
  return new PartitionLog({ retentionBytes });
}

const baseOffsets = (chunks: readonly Buffer[]) => chunks.map((chunk) => Number(chunk.readBigInt64BE(0)));
const epochs = (chunks: readonly Buffer[]) => chunks.map((chunk) => chunk.readInt32BE(12));

describe('a partition log', () => {
  it('gives batches their offsets and the leader epoch, and keeps the producer’s bytes untouched', () => {
    const log = newLog();
    const sent = batchOf({ values: ['a', 'b', 'c'] });
    const before = Buffer.from(sent);
    const checked = checkProducedBatch(sent);
    if (!checked.ok) throw new Error(checked.message);
    log.nextEpoch();
    expect(log.append(sent, checked.header)).toEqual({ ok: true, baseOffset: 0 });
    expect(append(log)).toEqual({ ok: true, baseOffset: 3 });
    expect(log.logEndOffset).toBe(4);
    const read = log.read(0, 10_000, true);
    expect(baseOffsets(read)).toEqual([0, 3]);
    expect(epochs(read)).toEqual([1, 1]);
    expect(sent.equals(before)).toBe(true);
    expect(checkProducedBatch(read[0] as Buffer).ok).toBe(true);
  });

  it('reads from the batch that holds an offset in its middle', () => {
    const log = newLog();
    for (let i = 0; i < 50; i++) append(log, { values: ['a', 'b', 'c'] });
    for (let offset = 0; offset < 150; offset++) {
      const [first] = baseOffsets(log.read(offset, 1, true));
      expect(first).toBe(offset - (offset % 3));
    }
    expect(log.read(150, 1000, true)).toEqual([]);
  });

  it('gives the first batch whole when it is larger than the limit, and cuts the last one off', () => {
    const log = newLog();
    append(log, { values: ['x'.repeat(500)] });
    append(log, { values: ['y'.repeat(500)] });
    const size = (log.read(0, 1, true)[0] as Buffer).length;
    expect(log.read(0, 1, true).map((chunk) => chunk.length)).toEqual([size]);
    expect(log.read(0, 1, false).map((chunk) => chunk.length)).toEqual([1]);
    expect(log.read(0, 0, false)).toEqual([]);
    expect(log.read(0, size + 10, true).map((chunk) => chunk.length)).toEqual([size, 10]);
  });

  it('stays within its bytes: the oldest batches go, the log start moves, the newest always stays', () => {
    const log = newLog(20_000);
    for (let i = 0; i < 5000; i++) append(log, { values: ['x'.repeat(100)] });
    expect(log.sizeBytes).toBeLessThanOrEqual(20_000);
    expect(log.logEndOffset).toBe(5000);
    expect(log.logStartOffset).toBeGreaterThan(4900);
    expect(baseOffsets(log.read(log.logStartOffset, 1, true))).toEqual([log.logStartOffset]);
    append(log, { values: ['x'.repeat(50_000)] });
    expect(log.logStartOffset).toBe(5000);
    expect(log.read(5000, 1, true)).toHaveLength(1);
  });

  it('moves the log start into the middle of a batch and drops what lies before it', () => {
    const log = newLog();
    append(log, { values: ['a', 'b'] });
    append(log, { values: ['c', 'd'] });
    log.deleteRecordsBefore(3);
    expect(log.logStartOffset).toBe(3);
    expect(baseOffsets(log.read(3, 1000, true))).toEqual([2]);
    log.deleteRecordsBefore(1);
    expect(log.logStartOffset).toBe(3);
    log.deleteRecordsBefore(4);
    expect([log.logStartOffset, log.logEndOffset]).toEqual([4, 4]);
    expect(log.sizeBytes).toBe(0);
    expect(append(log)).toEqual({ ok: true, baseOffset: 4 });
    expect(baseOffsets(log.read(4, 1000, true))).toEqual([4]);
  });

  it('forgets a truncated tail, raises the epoch, and tells where the old epoch ended', () => {
    const log = newLog();
    for (let i = 0; i < 10; i++) append(log);
    log.truncateTo(6);
    expect(log.logEndOffset).toBe(6);
    expect(log.leaderEpoch).toBe(1);
    expect(log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 6 });
    append(log);
    append(log);
    expect(log.endOffsetForEpoch(0)).toEqual({ epoch: 0, endOffset: 6 });
    expect(log.endOffsetForEpoch(1)).toEqual({ epoch: 1, endOffset: 8 });
    expect(log.endOffsetForEpoch(2)).toEqual({ epoch: -1, endOffset: -1 });
    expect(log.epochAt(5)).toBe(0);
    expect(log.epochAt(6)).toBe(1);
    expect(epochs(log.read(5, 10_000, true))).toEqual([0, 1, 1]);
  });

  it('tells its listeners of appends, truncation and new leaders, until they stop listening', () => {
    const log = newLog();
    let told = 0;
    const stop = log.onChange(() => {
      told += 1;
    });
    append(log);
    log.truncateTo(0);
    log.nextEpoch();
    expect(told).toBe(3);
    stop();
    append(log);
    expect(told).toBe(3);
  });

  it('lists the batches that reach a timestamp, in any order of time', () => {
    const log = newLog();
    for (const timestamp of [100, 300, 200]) append(log, { timestamp });
    expect(log.batchesReaching(150).map((batch) => batch.baseOffset)).toEqual([1, 2]);
    expect(log.batchesReaching(301)).toEqual([]);
    expect(log.maxTimestamp()).toBe(300);
    expect(newLog().maxTimestamp()).toBe(-1);
  });
});

describe('an idempotent producer', () => {
  const producer = (sequence: number, epoch = 0) => ({ id: 7n, epoch, sequence });

  it('gets the first offset again for a repeated batch, and nothing is appended', () => {
    const log = newLog();
    append(log, { values: ['a', 'b'], producer: producer(0) });
    append(log, { values: ['c'], producer: producer(2) });
    expect(append(log, { values: ['a', 'b'], producer: producer(0) })).toEqual({ ok: true, baseOffset: 0 });
    expect(append(log, { values: ['c'], producer: producer(2) })).toEqual({ ok: true, baseOffset: 2 });
    expect(log.logEndOffset).toBe(3);
  });

  it('is refused when a sequence is missing', () => {
    const log = newLog();
    append(log, { producer: producer(0) });
    expect(append(log, { producer: producer(2) })).toEqual({
      ok: false,
      errorCode: KAFKA_ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER,
    });
  });

  it('starts again at 0 with a higher epoch, and the older epoch is fenced', () => {
    const log = newLog();
    append(log, { producer: producer(0) });
    expect(append(log, { producer: producer(1, 1) })).toMatchObject({ ok: false });
    expect(append(log, { producer: producer(0, 1) })).toEqual({ ok: true, baseOffset: 1 });
    expect(append(log, { producer: producer(1, 0) })).toEqual({
      ok: false,
      errorCode: KAFKA_ERROR.INVALID_PRODUCER_EPOCH,
    });
  });

  it('may send a batch again that was truncated away', () => {
    const log = newLog();
    append(log, { producer: producer(0) });
    append(log, { producer: producer(1) });
    log.truncateTo(1);
    expect(append(log, { producer: producer(1) })).toEqual({ ok: true, baseOffset: 1 });
    expect(log.logEndOffset).toBe(2);
  });

  it('goes from the largest sequence back to 0', () => {
    const log = newLog();
    append(log, { producer: producer(2 ** 31 - 1) });
    expect(append(log, { producer: producer(0) })).toEqual({ ok: true, baseOffset: 1 });
  });
});

describe('a produced batch', () => {
  const good = batchOf({ values: ['a', 'b'] });
  const damaged = (change: (batch: Buffer) => void) => {
    const batch = Buffer.from(good);
    change(batch);
    return batch;
  };

  it.each([
    ['a flipped bit', damaged((b) => b.writeUInt8((b[65] as number) ^ 1, 65)), KAFKA_ERROR.CORRUPT_MESSAGE],
    ['a cut tail', good.subarray(0, good.length - 1), KAFKA_ERROR.CORRUPT_MESSAGE],
    ['a few bytes', Buffer.alloc(10), KAFKA_ERROR.CORRUPT_MESSAGE],
    ['a negative length', damaged((b) => b.writeInt32BE(-1, 8)), KAFKA_ERROR.CORRUPT_MESSAGE],
    ['an old format', damaged((b) => b.writeInt8(1, 16)), KAFKA_ERROR.INVALID_RECORD],
    ['two batches', Buffer.concat([good, good]), KAFKA_ERROR.INVALID_RECORD],
  ])('with %s is refused', (_what, batch, errorCode) => {
    expect(checkProducedBatch(batch)).toMatchObject({ ok: false, errorCode });
  });

  it('is refused when it belongs to a transaction and names no producer', () => {
    const batch = encodeRecordBatch([{ value: 'a' }], { now: 1, transactional: true });
    expect(checkProducedBatch(batch)).toMatchObject({ ok: false, errorCode: KAFKA_ERROR.INVALID_RECORD });
  });
});
