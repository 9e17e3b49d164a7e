import { invariant } from '@millrace/common';
import { crc32c } from '@node-rs/crc32';
import type { Compression, ProduceRecord } from '../kafka-port.ts';
import { COMPRESSIONS, compress } from './compression.ts';
import { ATTRIBUTE, BATCH, BATCH_LENGTH_END, writeInt64 } from './record-batch-header.ts';
import { lengthOf, NO_HEADERS, RECORD_OVERHEAD_BYTES, RecordWriter } from './record-writer.ts';

export interface EncodeOptions {
  /** ms: the timestamp of records that have none. */
  readonly now: number;
  readonly compression?: Compression;
  /** Producer id, epoch and first sequence number of an idempotent or transactional producer. */
  readonly producer?: { readonly id: bigint; readonly epoch: number; readonly sequence: number };
  readonly transactional?: boolean;
  /** Default 0: the broker assigns offsets. */
  readonly baseOffset?: number;
  /** The sum of `recordBytesMax` of the records, when it is known. */
  readonly recordsBytesMax?: number;
}

type Bytes = string | Uint8Array | null | undefined;

/** An upper bound of the bytes that `record` takes in an uncompressed batch (exact texts are measured when they are written). */
export function recordBytesMax(record: ProduceRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + bytesOf(record.key) + bytesOf(record.value);
  for (const [name, value] of record.headers ?? []) bytes += 10 + bytesOf(name) + bytesOf(value);
  return bytes;
}

/** One record batch (magic 2) of at least one record. */
export function encodeRecordBatch(records: readonly ProduceRecord[], options: EncodeOptions): Buffer {
  let bytes = options.recordsBytesMax ?? 0;
  if (options.recordsBytesMax === undefined) for (const record of records) bytes += recordBytesMax(record);
  const buf = Buffer.allocUnsafe(BATCH.records + bytes);
  const baseTimestamp = records[0]?.timestamp ?? options.now;
  const written = new RecordWriter(buf, BATCH.records, baseTimestamp);
  for (let i = 0; i < records.length; i++) {
    const { key, value, timestamp = options.now, headers = NO_HEADERS } = records[i] as ProduceRecord;
    written.append(i, key, value, timestamp, headers);
  }
  invariant(written.at <= buf.length, 'a batch is not larger than its bound');
  return finishedBatch(written, records.length, options);
}

/** Makes a batch of the records that a writer wrote behind the room for the header. Without compression it is the writer's own buffer. */
export function finishedBatch(
  { buf, at, baseTimestamp, maxTimestamp }: RecordWriter,
  count: number,
  options: Omit<EncodeOptions, 'now' | 'recordsBytesMax'>,
): Buffer {
  const codec = COMPRESSIONS.indexOf(options.compression ?? 'none');
  const batch = codec === 0 ? buf.subarray(0, at) : compressed(buf, at, codec);
  writeHeader(batch, count, codec, baseTimestamp, maxTimestamp, options);
  return batch;
}

function compressed(buf: Buffer, end: number, codec: number): Buffer {
  const records = compress(codec, buf.subarray(BATCH.records, end));
  const batch = Buffer.allocUnsafe(BATCH.records + records.length);
  records.copy(batch, BATCH.records);
  return batch;
}

function writeHeader(
  batch: Buffer,
  count: number,
  codec: number,
  baseTimestamp: number,
  maxTimestamp: number,
  options: Omit<EncodeOptions, 'now'>,
): void {
  writeInt64(batch, options.baseOffset ?? 0, BATCH.baseOffset);
  batch.writeInt32BE(batch.length - BATCH_LENGTH_END, BATCH.batchLength);
  batch.writeInt32BE(-1, BATCH.partitionLeaderEpoch);
  batch.writeInt8(2, BATCH.magic);
  const attributes = codec | (options.transactional === true ? ATTRIBUTE.transactional : 0);
  batch.writeInt16BE(attributes, BATCH.attributes);
  batch.writeInt32BE(count - 1, BATCH.lastOffsetDelta);
  writeInt64(batch, baseTimestamp, BATCH.baseTimestamp);
  writeInt64(batch, maxTimestamp, BATCH.maxTimestamp);
  batch.writeBigInt64BE(options.producer?.id ?? -1n, BATCH.producerId);
  batch.writeInt16BE(options.producer?.epoch ?? -1, BATCH.producerEpoch);
  batch.writeInt32BE(options.producer?.sequence ?? -1, BATCH.baseSequence);
  batch.writeInt32BE(count, BATCH.recordCount);
  batch.writeUInt32BE(crc32c(batch.subarray(BATCH.attributes)), BATCH.crc);
}

function bytesOf(value: Bytes): number {
  const bytes = lengthOf(value);
  return Math.max(bytes, 0);
}
