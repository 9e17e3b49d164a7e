import type { TopicPartition } from '../topic-partition.ts';
import { corruptBatch, unsafeOffset, unsupportedBatch } from './record-batch-error.ts';
import { BATCH, BATCH_LENGTH_END, readInt64 } from './record-batch-header.ts';

/** What the headers of consecutive record batches tell, without touching a record. */
export interface BatchScan {
  /** End of the last complete batch (exclusive); a broker may cut the one after it. */
  readonly end: number;
  /** The offset after the last complete batch: where the next fetch begins. −1 when there is none. */
  readonly nextOffset: number;
  /** Records claimed by the headers, control records included. */
  readonly records: number;
  readonly batches: number;
  /** Leader epoch of the last complete batch; −1 when there is none or it does not tell. */
  readonly leaderEpoch: number;
}

/**
 * Walks the headers of the batches in [start, limit).
 * @throws MillraceError RECORD_BATCH_CORRUPT when a header makes no sense, RECORD_BATCH_UNSUPPORTED for magic 0 and 1, OFFSET_UNSAFE.
 */
export function scanRecordBatches(tp: TopicPartition, buf: Buffer, start: number, limit: number): BatchScan {
  let at = start;
  let nextOffset = -1;
  let records = 0;
  let batches = 0;
  let leaderEpoch = -1;
  while (limit - at > BATCH.magic) {
    const baseOffset = readInt64(buf, at + BATCH.baseOffset);
    const magic = buf.readInt8(at + BATCH.magic);
    if (magic === 0 || magic === 1) throw unsupportedBatch(tp, baseOffset, magic);
    if (magic !== 2) throw corruptBatch(tp, baseOffset, `its format number is ${magic}`);
    const length = buf.readInt32BE(at + BATCH.batchLength);
    if (length < BATCH.records - BATCH_LENGTH_END)
      throw corruptBatch(tp, baseOffset, `its length is ${length}`);
    if (length > limit - at - BATCH_LENGTH_END) break;
    const lastOffsetDelta = buf.readInt32BE(at + BATCH.lastOffsetDelta);
    const count = buf.readInt32BE(at + BATCH.recordCount);
    if (lastOffsetDelta < 0 || count < 0 || count > lastOffsetDelta + 1)
      throw corruptBatch(tp, baseOffset, `${count} records up to offset delta ${lastOffsetDelta}`);
    if (!Number.isSafeInteger(baseOffset + lastOffsetDelta + 1))
      throw unsafeOffset(tp, buf.readBigInt64BE(at + BATCH.baseOffset));
    if (baseOffset < nextOffset || baseOffset < 0)
      throw corruptBatch(tp, baseOffset, `it follows offset ${nextOffset - 1}`);
    nextOffset = baseOffset + lastOffsetDelta + 1;
    leaderEpoch = buf.readInt32BE(at + BATCH.partitionLeaderEpoch);
    records += count;
    batches++;
    at += BATCH_LENGTH_END + length;
  }
  return { end: at, nextOffset, records, batches, leaderEpoch };
}
