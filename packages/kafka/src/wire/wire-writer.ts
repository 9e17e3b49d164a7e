import { MillraceError } from '@millrace/common';

/**
 * Writes Kafka's wire types (big-endian) into one growing buffer. `compact*` are the forms of flexible versions (KIP-482):
 * lengths as unsigned varints of length + 1, 0 for null.
 */
export class WireWriter {
  private buf: Buffer;
  private at = 0;

  constructor(bytesHint = 256) {
    this.buf = Buffer.allocUnsafe(Math.max(16, bytesHint));
  }

  /** Bytes written so far. */
  get length(): number {
    return this.at;
  }

  /** What was written: a view, valid until the next write. */
  finish(): Buffer {
    return this.buf.subarray(0, this.at);
  }

  private reserve(bytes: number): number {
    const start = this.at;
    const end = start + bytes;
    if (end > this.buf.length) {
      const grown = Buffer.allocUnsafe(Math.max(end, this.buf.length * 2));
      this.buf.copy(grown, 0, 0, start);
      this.buf = grown;
    }
    this.at = end;
    return start;
  }

  int8(value: number): this {
    const at = this.reserve(1);
    this.buf.writeInt8(value, at);
    return this;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int16(value: number): this {
    const at = this.reserve(2);
    this.buf.writeInt16BE(value, at);
    return this;
  }

  uint16(value: number): this {
    const at = this.reserve(2);
    this.buf.writeUInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.reserve(4);
    this.buf.writeInt32BE(value, at);
    return this;
  }

  uint32(value: number): this {
    const at = this.reserve(4);
    this.buf.writeUInt32BE(value, at);
    return this;
  }

  /** A safe integer as int64. */
  int64(value: number): this {
    const at = this.reserve(8);
    const high = Math.floor(value / 4294967296);
    this.buf.writeInt32BE(high, at);
    this.buf.writeUInt32BE(value - high * 4294967296, at + 4);
    return this;
  }

  bigint64(value: bigint): this {
    const at = this.reserve(8);
    this.buf.writeBigInt64BE(value, at);
    return this;
  }

  float64(value: number): this {
    const at = this.reserve(8);
    this.buf.writeDoubleBE(value, at);
    return this;
  }

  /** Unsigned LEB128 of an integer in [0, 2^32). */
  unsignedVarint(value: number): this {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      const at = this.reserve(1);
      this.buf[at] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    const at = this.reserve(1);
    this.buf[at] = rest;
    return this;
  }

  /** Zigzag LEB128 of an int32. */
  varint(value: number): this {
    return this.unsignedVarint((value << 1) ^ (value >> 31));
  }

  /** Zigzag LEB128 of an int64. */
  varlong(value: bigint): this {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest > 0x7fn) {
      const at = this.reserve(1);
      this.buf[at] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    const at = this.reserve(1);
    this.buf[at] = Number(rest);
    return this;
  }

  /** Bytes as they are, without a length. */
  raw(bytes: Uint8Array): this {
    const at = this.reserve(bytes.length);
    this.buf.set(bytes, at);
    return this;
  }

  /** int16 length + UTF-8. @throws MillraceError KAFKA_PROTOCOL above 32767 bytes. */
  string(value: string): this {
    const bytes = Buffer.byteLength(value);
    if (bytes > 0x7fff)
      throw new MillraceError('KAFKA_PROTOCOL', `a text of ${bytes} bytes does not fit a Kafka string`, {
        retryable: false,
      });
    this.int16(bytes);
    const at = this.reserve(bytes); // may replace the buffer: before it is read
    this.buf.write(value, at, 'utf8');
    return this;
  }

  nullableString(value: string | null): this {
    return value === null ? this.int16(-1) : this.string(value);
  }

  compactString(value: string): this {
    const bytes = Buffer.byteLength(value);
    this.unsignedVarint(bytes + 1);
    const at = this.reserve(bytes);
    this.buf.write(value, at, 'utf8');
    return this;
  }

  compactNullableString(value: string | null): this {
    return value === null ? this.unsignedVarint(0) : this.compactString(value);
  }

  /** int32 length + bytes. */
  bytes(value: Uint8Array): this {
    return this.int32(value.length).raw(value);
  }

  nullableBytes(value: Uint8Array | null): this {
    return value === null ? this.int32(-1) : this.bytes(value);
  }

  compactBytes(value: Uint8Array): this {
    return this.unsignedVarint(value.length + 1).raw(value);
  }

  compactNullableBytes(value: Uint8Array | null): this {
    return value === null ? this.unsignedVarint(0) : this.compactBytes(value);
  }

  /** int32 count + items. */
  array<T>(items: readonly T[], write: (item: T, writer: this) => void): this {
    this.int32(items.length);
    for (const item of items) write(item, this);
    return this;
  }

  nullableArray<T>(items: readonly T[] | null, write: (item: T, writer: this) => void): this {
    return items === null ? this.int32(-1) : this.array(items, write);
  }

  compactArray<T>(items: readonly T[], write: (item: T, writer: this) => void): this {
    this.unsignedVarint(items.length + 1);
    for (const item of items) write(item, this);
    return this;
  }

  compactNullableArray<T>(items: readonly T[] | null, write: (item: T, writer: this) => void): this {
    return items === null ? this.unsignedVarint(0) : this.compactArray(items, write);
  }

  /** 16 bytes, given as base64url (22 characters, how `TopicMetadata.topicId` is written). */
  uuid(base64url: string): this {
    const bytes = Buffer.from(base64url, 'base64url');
    if (bytes.length !== 16)
      throw new MillraceError('KAFKA_PROTOCOL', `"${base64url}" is not a UUID in base64url`, {
        retryable: false,
      });
    return this.raw(bytes);
  }

  /** The tagged fields of a flexible structure: none by default, else [tag, bytes] in ascending order of tags. */
  taggedFields(fields: ReadonlyArray<readonly [tag: number, bytes: Uint8Array]> = []): this {
    this.unsignedVarint(fields.length);
    for (const [tag, bytes] of fields) this.unsignedVarint(tag).unsignedVarint(bytes.length).raw(bytes);
    return this;
  }
}
