import { crc32c } from '@node-rs/crc32';
import { RecordColumns } from '../record-columns.ts';
import type { TopicPartition } from '../topic-partition.ts';
import { type AbortedTransaction, AbortedTransactions } from './aborted-transactions.ts';
import { decompress } from './compression.ts';
import { corruptBatch } from './record-batch-error.ts';
import { ATTRIBUTE, BATCH, BATCH_LENGTH_END, readInt64 } from './record-batch-header.ts';
import { scanRecordBatches } from './record-batch-scanner.ts';
import { decodeRecords, RECORD_BYTES_MIN, type RecordsOfBatch } from './record-decoder.ts';

export interface DecodeOptions extends TopicPartition {
  /** Only records in [fromOffset, untilOffset) are wanted. Default: all. */
  readonly fromOffset?: number;
  readonly untilOffset?: number;
  /** Aborted transactions as the broker told with the batches: their records are skipped. */
  readonly aborted?: readonly AbortedTransaction[];
  /** Filled again for every chunk; absent: each chunk has columns of its own. */
  readonly reuse?: RecordColumns;
}

interface Batch extends RecordsOfBatch {
  readonly codec: number;
  readonly control: boolean;
  readonly transactional: boolean;
  readonly producerId: bigint;
}

/**
 * Records of the complete batches in [start, end) of `buf`, as chunks of columns in offset order: consecutive uncompressed batches
 * share a chunk (over `buf` itself), a compressed batch is one of its own. Control records are never among them. Every CRC is checked.
 * @throws MillraceError RECORD_BATCH_CORRUPT, RECORD_BATCH_UNSUPPORTED, OFFSET_UNSAFE: with topic, partition and offset.
 */
export function* decodeRecordBatches(
  buf: Buffer,
  start: number,
  end: number,
  options: DecodeOptions,
): Generator<RecordColumns, void, undefined> {
  const { fromOffset = 0, untilOffset = Number.MAX_SAFE_INTEGER } = options;
  const scan = scanRecordBatches(options, buf, start, end);
  const aborted = new AbortedTransactions(options.aborted ?? []);
  let chunk: RecordColumns | undefined;
  let next: number;
  for (let at = start; at < scan.end; at = next) {
    const batch = readBatch(options, buf, at);
    next = batch.end;
    if (batch.baseOffset >= untilOffset) break;
    if (isSkipped(batch, buf, aborted) || batch.lastOffset < fromOffset || batch.count === 0) continue;
    if (batch.codec === 0) {
      // The rest of the fetch is the bound, so that the columns need not grow batch by batch.
      chunk ??= openChunk(options, buf, Math.min(scan.records, (scan.end - at) / RECORD_BYTES_MIN));
      appendRecords(options, buf, batch, chunk, fromOffset, untilOffset);
      continue;
    }
    if (chunk !== undefined && chunk.n > 0) yield chunk;
    chunk = undefined;
    const records = inflate(options, buf, batch);
    const own = openChunk(options, records, Math.min(batch.count, records.length / RECORD_BYTES_MIN));
    const inflated = { ...batch, start: 0, end: records.length };
    appendRecords(options, records, inflated, own, fromOffset, untilOffset);
    if (own.n > 0) yield own;
  }
  if (chunk !== undefined && chunk.n > 0) yield chunk;
}

/** The header of the batch at `at`, which the scan has found complete. Checks the CRC. */
function readBatch(tp: TopicPartition, buf: Buffer, at: number): Batch {
  const end = at + BATCH_LENGTH_END + buf.readInt32BE(at + BATCH.batchLength);
  const baseOffset = readInt64(buf, at + BATCH.baseOffset);
  if (crc32c(buf.subarray(at + BATCH.attributes, end)) !== buf.readUInt32BE(at + BATCH.crc))
    throw corruptBatch(tp, baseOffset, 'its checksum (CRC-32C) does not match');
  const attributes = buf.readInt16BE(at + BATCH.attributes);
  const logAppend = (attributes & ATTRIBUTE.logAppendTime) !== 0;
  return {
    start: at + BATCH.records,
    end,
    count: buf.readInt32BE(at + BATCH.recordCount),
    baseOffset,
    lastOffset: baseOffset + buf.readInt32BE(at + BATCH.lastOffsetDelta),
    baseTimestamp: readInt64(buf, at + BATCH.baseTimestamp),
    logAppendTime: logAppend ? readInt64(buf, at + BATCH.maxTimestamp) : -1,
    codec: attributes & ATTRIBUTE.codecMask,
    control: (attributes & ATTRIBUTE.control) !== 0,
    transactional: (attributes & ATTRIBUTE.transactional) !== 0,
    producerId: buf.readBigInt64BE(at + BATCH.producerId),
  };
}

/** Control batches, and those of aborted transactions. */
function isSkipped(batch: Batch, buf: Buffer, aborted: AbortedTransactions): boolean {
  if (batch.control) {
    if (isAbortMarker(buf, batch)) aborted.endedAt(batch.producerId, batch.lastOffset);
    return true;
  }
  return batch.transactional && aborted.isAborted(batch.producerId, batch.lastOffset);
}

/**
 * The key of a control record is int16 version, int16 type (0 abort, 1 commit). The lengths before it are one byte each,
 * but for the timestamp delta.
 */
function isAbortMarker(buf: Buffer, batch: Batch): boolean {
  let at = batch.start + 2; // record length, attributes
  while ((buf[at] ?? 0) > 0x7f && at < batch.end) at++;
  at += 3; // last byte of the timestamp delta, offset delta, key length
  return at + 4 <= batch.end && buf.readInt16BE(at + 2) === 0;
}

function inflate(tp: TopicPartition, buf: Buffer, batch: Batch): Buffer {
  try {
    return decompress(batch.codec, buf.subarray(batch.start, batch.end));
  } catch (error) {
    throw corruptBatch(tp, batch.baseOffset, 'its records do not decompress', error);
  }
}

function openChunk(options: DecodeOptions, records: Buffer, capacity: number): RecordColumns {
  const columns = options.reuse ?? new RecordColumns(options.topic, options.partition, Math.ceil(capacity));
  columns.reset(records);
  return columns;
}

function appendRecords(
  tp: TopicPartition,
  buf: Buffer,
  batch: Batch,
  columns: RecordColumns,
  fromOffset: number,
  untilOffset: number,
): void {
  // Before room is made for them: a wrong count must not take memory.
  if (batch.count * RECORD_BYTES_MIN > batch.end - batch.start)
    throw corruptBatch(tp, batch.baseOffset, `${batch.count} records in ${batch.end - batch.start} bytes`);
  const needed = columns.n + batch.count;
  if (needed > columns.capacity) columns.reserve(Math.max(needed, columns.capacity * 2));
  const damage = decodeRecords(buf, batch, fromOffset, untilOffset, columns);
  if (damage !== undefined) throw corruptBatch(tp, batch.baseOffset, damage);
}
