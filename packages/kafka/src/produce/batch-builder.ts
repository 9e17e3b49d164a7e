import { invariant } from '@millrace/common';
import type { ProduceRecord } from '../kafka-port.ts';
import type { RecordColumns } from '../record-columns.ts';
import { decodeRecordBatches } from '../records/record-batch-decoder.ts';
import { type EncodeOptions, finishedBatch } from '../records/record-batch-encoder.ts';
import { BATCH } from '../records/record-batch-header.ts';
import { RECORD_OVERHEAD_BYTES, RecordWriter } from '../records/record-writer.ts';
import type { WritableBatch } from './writable-batch.ts';

type Bytes = string | Uint8Array | null;
type Headers = NonNullable<ProduceRecord['headers']>;

const BUFFER_BYTES_MIN = 4096;
// A UTF-16 unit takes at most 3 bytes; a RecordWriter wants room for one character (4) more.
const UNIT_BYTES_MAX = 3;
const SLACK_BYTES = 4;

/** An upper bound of the bytes that a record takes while it is written. */
export function roomFor(key: Bytes, value: Bytes, headers: Headers): number {
  let bytes = RECORD_OVERHEAD_BYTES + SLACK_BYTES + roomOf(key) + roomOf(value);
  for (const [name, content] of headers) bytes += 10 + roomOf(name) + roomOf(content);
  return bytes;
}

function roomOf(bytes: Bytes): number {
  if (bytes === null) return 0;
  return typeof bytes === 'string' ? bytes.length * UNIT_BYTES_MAX : bytes.length;
}

/** A batch that is encoded while its records come: no object a record. Not to be appended to once it was encoded. */
export class BatchBuilder implements WritableBatch {
  records = 0;
  readonly #writer: RecordWriter;
  readonly #bytesHint: number;

  /** `timestamp` (ms): of the first record. `bytesHint`: how large it may become. */
  constructor(timestamp: number, bytesHint: number) {
    this.#bytesHint = bytesHint;
    this.#writer = new RecordWriter(
      Buffer.allocUnsafe(Math.min(bytesHint, BUFFER_BYTES_MIN)),
      BATCH.records,
      timestamp,
    );
  }

  /** Bytes of the batch so far, with its header. */
  get bytes(): number {
    return this.#writer.at;
  }

  get bytesMax(): number {
    return this.bytes;
  }

  /** `room`: from `roomFor`. */
  append(key: Bytes, value: Bytes, timestamp: number, headers: Headers, room: number): void {
    const writer = this.#writer;
    if (writer.at + room > writer.buf.length) this.#grow(writer.at + room);
    writer.append(this.records++, key, value, timestamp, headers);
  }

  encode(options: Omit<EncodeOptions, 'recordsBytesMax'>): Buffer {
    return finishedBatch(this.#writer, this.records, options);
  }

  halves(): readonly [WritableBatch, WritableBatch] | undefined {
    if (this.records === 1) return undefined;
    // Offsets and times are relative to the batch's first: they are written anew.
    const all = this.encode({ now: 0 });
    const [columns] = decodeRecordBatches(all, 0, all.length, { topic: '', partition: 0 });
    invariant(columns !== undefined && columns.n === this.records, 'a batch of ours decodes');
    const half = this.records >> 1;
    return [this.#part(columns, 0, half), this.#part(columns, half, this.records)];
  }

  #part(columns: RecordColumns, from: number, until: number): BatchBuilder {
    const part = new BatchBuilder(columns.timestamp[from] as number, this.bytes);
    for (let i = from; i < until; i++) {
      const key = columns.key(i);
      const value = columns.value(i);
      const headers = columns.headers(i);
      part.append(key, value, columns.timestamp[i] as number, headers, roomFor(key, value, headers));
    }
    return part;
  }

  /** Towards the size that is expected: a batch that stays small holds little. */
  #grow(needed: number): void {
    const writer = this.#writer;
    const larger = Math.min(Math.max(writer.buf.length * 4, BUFFER_BYTES_MIN), this.#bytesHint);
    const grown = Buffer.allocUnsafe(Math.max(needed, larger));
    writer.buf.copy(grown, 0, 0, writer.at);
    writer.buf = grown;
  }
}
