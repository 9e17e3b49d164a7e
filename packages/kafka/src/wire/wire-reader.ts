import { MillraceError } from '@millrace/common';

const TWO_32 = 4294967296;

/**
 * Reads Kafka's wire types from a buffer; every read is bounds-checked.
 * @throws MillraceError KAFKA_PROTOCOL when the bytes end early or a length makes no sense; OFFSET_UNSAFE for an int64 beyond ±(2^53−1).
 */
export class WireReader {
  readonly buf: Buffer;
  /** Position of the next byte. */
  at: number;
  /** Exclusive. */
  readonly end: number;

  constructor(buf: Buffer, at = 0, end = buf.length) {
    this.buf = buf;
    this.at = at;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.at;
  }

  private take(bytes: number): number {
    const start = this.at;
    if (bytes < 0 || bytes > this.end - start) {
      throw new MillraceError(
        'KAFKA_PROTOCOL',
        `a message ends at byte ${this.end}, ${bytes} more were needed at ${start}`,
        { details: { at: start, needed: bytes, end: this.end } },
      );
    }
    this.at = start + bytes;
    return start;
  }

  int8(): number {
    return this.buf.readInt8(this.take(1));
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int16(): number {
    return this.buf.readInt16BE(this.take(2));
  }

  uint16(): number {
    return this.buf.readUInt16BE(this.take(2));
  }

  int32(): number {
    return this.buf.readInt32BE(this.take(4));
  }

  uint32(): number {
    return this.buf.readUInt32BE(this.take(4));
  }

  /** An int64 as an exact number. */
  int64(): number {
    const at = this.take(8);
    const value = this.buf.readInt32BE(at) * TWO_32 + this.buf.readUInt32BE(at + 4);
    if (Number.isSafeInteger(value)) return value;
    throw new MillraceError(
      'OFFSET_UNSAFE',
      `the broker sent the int64 ${this.buf.readBigInt64BE(at)}, which is beyond 2^53−1`,
      {
        remedy:
          'No partition has so many records: look for a broker, or a proxy, that sends damaged answers.',
      },
    );
  }

  bigint64(): bigint {
    return this.buf.readBigInt64BE(this.take(8));
  }

  float64(): number {
    return this.buf.readDoubleBE(this.take(8));
  }

  /** Unsigned LEB128 in [0, 2^32). */
  unsignedVarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buf[this.take(1)] as number;
      if (shift === 28 && byte > 0x0f) break;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new MillraceError('KAFKA_PROTOCOL', `a varint is too long at byte ${this.at}`);
  }

  /** Zigzag LEB128 of an int32. */
  varint(): number {
    const value = this.unsignedVarint();
    return (value >>> 1) ^ -(value & 1);
  }

  /** Zigzag LEB128 of an int64. */
  varlong(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.buf[this.take(1)] as number;
      if (shift === 63n && byte > 1) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return (value >> 1n) ^ -(value & 1n);
    }
    throw new MillraceError('KAFKA_PROTOCOL', `a varlong is too long at byte ${this.at}`);
  }

  /** The next `bytes` bytes: a view. */
  raw(bytes: number): Buffer {
    const at = this.take(bytes);
    return this.buf.subarray(at, at + bytes);
  }

  string(): string {
    return this.nullableString() ?? this.nullIsRefused();
  }

  nullableString(): string | null {
    return this.text(this.int16());
  }

  compactString(): string {
    return this.compactNullableString() ?? this.nullIsRefused();
  }

  compactNullableString(): string | null {
    return this.text(this.unsignedVarint() - 1);
  }

  bytes(): Buffer {
    return this.nullableBytes() ?? this.nullIsRefused();
  }

  nullableBytes(): Buffer | null {
    const length = this.int32();
    return length === -1 ? null : this.raw(length);
  }

  compactBytes(): Buffer {
    return this.compactNullableBytes() ?? this.nullIsRefused();
  }

  compactNullableBytes(): Buffer | null {
    const length = this.unsignedVarint() - 1;
    return length === -1 ? null : this.raw(length);
  }

  /** A null array reads as an empty one. */
  array<T>(read: (reader: this) => T): T[] {
    return this.nullableArray(read) ?? [];
  }

  nullableArray<T>(read: (reader: this) => T): T[] | null {
    return this.items(this.int32(), read);
  }

  /** A null array reads as an empty one. */
  compactArray<T>(read: (reader: this) => T): T[] {
    return this.compactNullableArray(read) ?? [];
  }

  compactNullableArray<T>(read: (reader: this) => T): T[] | null {
    return this.items(this.unsignedVarint() - 1, read);
  }

  /** 16 bytes as base64url. */
  uuid(): string {
    return this.raw(16).toString('base64url');
  }

  /** Reads the tagged fields of a flexible structure. */
  taggedFields(): Map<number, Buffer> {
    const fields = new Map<number, Buffer>();
    for (let left = this.unsignedVarint(); left > 0; left--) {
      const tag = this.unsignedVarint();
      fields.set(tag, this.raw(this.unsignedVarint()));
    }
    return fields;
  }

  private text(length: number): string | null {
    if (length === -1) return null;
    const at = this.take(length);
    return this.buf.toString('utf8', at, at + length);
  }

  private items<T>(count: number, read: (reader: this) => T): T[] | null {
    if (count === -1) return null;
    // An item has at least one byte: a damaged count cannot make us allocate or loop for ever.
    if (count < 0 || count > this.remaining) {
      throw new MillraceError(
        'KAFKA_PROTOCOL',
        `an array of ${count} items at byte ${this.at} does not fit the message`,
      );
    }
    const items: T[] = [];
    for (let i = 0; i < count; i++) items.push(read(this));
    return items;
  }

  private nullIsRefused(): never {
    throw new MillraceError('KAFKA_PROTOCOL', `null at byte ${this.at} where a value is required`);
  }
}
