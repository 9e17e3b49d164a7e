import type { ProduceRecord } from '../kafka-port.ts';

type Bytes = string | Uint8Array | null | undefined;
type Headers = NonNullable<ProduceRecord['headers']>;

export const NO_HEADERS: Headers = [];

// Five bytes for each of length, key length, value length, offset delta and header count; ten for the time; one of attributes.
export const RECORD_OVERHEAD_BYTES = 36;

/** Bytes of a character in UTF-8; who gives a RecordWriter its buffer leaves so much behind the last text. */
const UTF8_BYTES_MAX = 4;

/** Appends records (magic 2) to a buffer that has room for them. */
export class RecordWriter {
  buf: Buffer;
  at: number;
  readonly baseTimestamp: number;
  maxTimestamp = -1;

  constructor(buf: Buffer, at: number, baseTimestamp: number) {
    this.buf = buf;
    this.at = at;
    this.baseTimestamp = baseTimestamp;
  }

  append(index: number, key: Bytes, value: Bytes, timestamp: number, headers: Headers): void {
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    const start = this.at;
    // Lengths stand before the texts. Most are ASCII, as long as they have characters: to measure them would cost as much as to write them.
    if (this.written(index, key, value, timestamp, headers, asciiLengthOf)) return;
    this.at = start;
    this.written(index, key, value, timestamp, headers, lengthOf);
  }

  /** False: a text has another length than `measure` said. */
  private written(
    index: number,
    key: Bytes,
    value: Bytes,
    timestamp: number,
    headers: Headers,
    measure: (value: Bytes) => number,
  ): boolean {
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

export function lengthOf(value: Bytes): number {
  if (value === null || value === undefined) return -1;
  return typeof value === 'string' ? Buffer.byteLength(value) : value.length;
}

function asciiLengthOf(value: Bytes): number {
  return value === null || value === undefined ? -1 : value.length;
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
