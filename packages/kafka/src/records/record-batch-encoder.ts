import { invariant } from '@millrace/common';
import { crc32c } from '@node-rs/crc32';
import type { Compression, ProduceRecord } from '../kafka-port.ts';
import { COMPRESSIONS, compress } from './compression.ts';
import { ATTRIBUTE, BATCH, BATCH_LENGTH_END, writeInt64 } from './record-batch-header.ts';

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

const NO_HEADERS: NonNullable<ProduceRecord['headers']> = [];

const UTF8_BYTES_MAX = 4;

type Bytes = string | Uint8Array | null | undefined;

// Five bytes for each of length, key length, value length, offset delta and header count; ten for the time; one of attributes.
const RECORD_OVERHEAD_BYTES = 36;

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
  const written = new RecordWriter(buf, BATCH.records, baseTimestamp, options.now);
  for (let i = 0; i < records.length; i++) written.record(records[i] as ProduceRecord, i);
  invariant(written.at <= buf.length, 'a batch is not larger than its bound');
  const codec = COMPRESSIONS.indexOf(options.compression ?? 'none');
  const batch = codec === 0 ? buf.subarray(0, written.at) : compressed(buf, written.at, codec);
  writeHeader(batch, records.length, codec, baseTimestamp, written.maxTimestamp, options);
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
  options: EncodeOptions,
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

/** Appends records to a buffer that has room for them. */
class RecordWriter {
  at: number;
  maxTimestamp = -1;
  private readonly buf: Buffer;
  private readonly baseTimestamp: number;
  private readonly now: number;

  constructor(buf: Buffer, at: number, baseTimestamp: number, now: number) {
    this.buf = buf;
    this.at = at;
    this.baseTimestamp = baseTimestamp;
    this.now = now;
  }

  record(record: ProduceRecord, index: number): void {
    const timestamp = record.timestamp ?? this.now;
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    const start = this.at;
    // Lengths stand before the texts. Most are ASCII, as long as they have characters: to measure them would cost as much as to write them.
    if (this.written(record, index, timestamp, asciiLengthOf)) return;
    this.at = start;
    this.written(record, index, timestamp, lengthOf);
  }

  /** False: a text has another length than `measure` said. */
  private written(
    record: ProduceRecord,
    index: number,
    timestamp: number,
    measure: (value: Bytes) => number,
  ): boolean {
    const { key, value, headers = NO_HEADERS } = record;
    const timeDelta = timestamp - this.baseTimestamp;
    const keyBytes = measure(key);
    const valueBytes = measure(value);
    this.varint(
      1 +
        varlongBytes(timeDelta) +
        varintBytes(index) +
        fieldBytes(keyBytes) +
        fieldBytes(valueBytes) +
        headersBytes(headers, measure),
    );
    this.buf[this.at++] = 0;
    this.varlong(timeDelta);
    this.varint(index);
    let fits = this.field(key, keyBytes) && this.field(value, valueBytes);
    this.varint(headers.length);
    for (const [name, content] of headers) {
      fits &&= this.field(name, measure(name)) && this.field(content, measure(content));
    }
    return fits;
  }

  /** False: the text does not have this length. */
  private field(value: Bytes, bytes: number): boolean {
    this.varint(bytes);
    if (bytes <= 0) return true;
    if (typeof value === 'string') {
      // With room for one character more: a text that is longer than `bytes` fills more than them.
      if (this.buf.write(value, this.at, bytes + UTF8_BYTES_MAX, 'utf8') !== bytes) return false;
    } else this.buf.set(value as Uint8Array, this.at);
    this.at += bytes;
    return true;
  }

  private varint(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest > 0x7f) {
      this.buf[this.at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buf[this.at++] = rest;
  }

  private varlong(value: number): void {
    let rest = zigzag(value);
    while (rest > 0x7f) {
      this.buf[this.at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.buf[this.at++] = rest;
  }
}

/** Exact for |value| < 2^52: years 144,000 either way. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function lengthOf(value: Bytes): number {
  if (value === null || value === undefined) return -1;
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length;
}

function asciiLengthOf(value: Bytes): number {
  return value === null || value === undefined ? -1 : value.length;
}

function bytesOf(value: Bytes): number {
  const bytes = lengthOf(value);
  return Math.max(bytes, 0);
}

function fieldBytes(length: number): number {
  return varintBytes(length) + Math.max(length, 0);
}

function headersBytes(
  headers: NonNullable<ProduceRecord['headers']>,
  measure: (value: Bytes) => number,
): number {
  let bytes = varintBytes(headers.length);
  for (const [name, value] of headers) bytes += fieldBytes(measure(name)) + fieldBytes(measure(value));
  return bytes;
}

function varintBytes(value: number): number {
  return varlongBytes(value);
}

function varlongBytes(value: number): number {
  let rest = zigzag(value);
  let bytes = 1;
  while (rest > 0x7f) {
    rest = Math.floor(rest / 128);
    bytes++;
  }
  return bytes;
}
