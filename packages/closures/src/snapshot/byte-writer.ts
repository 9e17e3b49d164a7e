import { Buffer } from 'node:buffer';
import { ValueTag } from './snapshot-format.ts';

/** Numbers and strings into one growing buffer. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;
  readonly #names = new Map<string, number>();

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** Any primitive but symbols. */
  primitive(value: unknown): void {
    switch (typeof value) {
      case 'undefined':
        this.byte(ValueTag.Undefined);
        return;
      case 'boolean':
        this.byte(value ? ValueTag.True : ValueTag.False);
        return;
      case 'number':
        this.#number(value);
        return;
      case 'string':
        this.string(value);
        return;
      case 'bigint':
        this.byte(ValueTag.BigInt);
        this.string(String(value));
        return;
      default:
        this.byte(ValueTag.Null);
        return;
    }
  }

  /** A property name: written once, then by number. */
  name(name: string): void {
    const known = this.#names.get(name);
    if (known !== undefined) {
      this.byte(ValueTag.Name);
      this.varint(known);
      return;
    }
    this.#names.set(name, this.#names.size);
    this.byte(ValueTag.NewName);
    this.string(name);
  }

  string(text: string): void {
    const size = Buffer.byteLength(text, 'utf8');
    if (size === text.length) {
      this.#text(ValueTag.Latin1, text, 'latin1', size);
      return;
    }
    // UTF-8 would lose half of a surrogate pair that stands alone.
    if (text.isWellFormed()) {
      this.#text(ValueTag.Utf8, text, 'utf8', size);
      return;
    }
    this.#text(ValueTag.Utf16, text, 'utf16le', text.length * 2);
  }

  bytes(value: Uint8Array): void {
    this.byte(ValueTag.Bytes);
    this.varint(value.byteLength);
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#length));
  }

  #number(value: number): void {
    if (Number.isInteger(value) && value < 0x40000000 && value >= -0x40000000 && !Object.is(value, -0)) {
      this.byte(ValueTag.Integer);
      this.varint(value >= 0 ? value * 2 : -value * 2 - 1);
      return;
    }
    this.byte(ValueTag.Double);
    this.#reserve(8);
    // One NaN: its payload bits are not observable.
    this.#bytes.writeDoubleLE(Number.isNaN(value) ? Number.NaN : value, this.#length);
    this.#length += 8;
  }

  #text(tag: number, text: string, encoding: 'latin1' | 'utf8' | 'utf16le', size: number): void {
    this.byte(tag);
    this.varint(size);
    this.#reserve(size);
    this.#length += this.#bytes.write(text, this.#length, size, encoding);
  }

  #reserve(size: number): void {
    const needed = this.#length + size;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}
