/**
 * How a column of a block is stored. Numbers are part of the format. A column that is not all of one of the others is V8.
 * −0 is no INT32. ASCII, UTF8, UTF16 (a lone surrogate is among them), BUFFER and BYTES: the lengths of the values, then all of them in a row.
 * TUPLE: arrays of one length, of primitives only: a column header (see column-block.ts) an item, then the columns.
 */
export const COLUMN = {
  UNDEFINED: 0,
  NULL: 1,
  BOOLEAN: 2,
  INT32: 3,
  DOUBLE: 4,
  ASCII: 5,
  UTF8: 6,
  UTF16: 7,
  BUFFER: 8,
  BYTES: 9,
  V8: 10,
  TUPLE: 11,
} as const;

export type ColumnKind = (typeof COLUMN)[keyof typeof COLUMN];

/** Where a column stands in a block; `at` is a multiple of 8 in the block and in memory. */
export interface StoredColumn {
  readonly kind: number;
  /** Bytes of a length, 1, 2 or 4; items of a TUPLE; else 0. */
  readonly width: number;
  readonly at: number;
  readonly bytes: number;
}

/** The lengths of `rows` values, each of `width` bytes. */
export function lengthsAt(
  buffer: Buffer,
  at: number,
  rows: number,
  width: number,
): Uint8Array | Uint16Array | Uint32Array {
  const start = buffer.byteOffset + at;
  if (width === 1) return new Uint8Array(buffer.buffer, start, rows);
  if (width === 2) return new Uint16Array(buffer.buffer, start, rows);
  return new Uint32Array(buffer.buffer, start, rows);
}

/** 32-bit words of the header of a column: kind, width, bytes, 0. */
export const COLUMN_WORDS = 4;
/** Items of a TUPLE. */
export const TUPLE_LENGTH_MAX = 8;

/** The next multiple of 8. */
export function padded(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}

/** Node's own readers behind Buffer.toString, without the argument handling: 20–30 % faster on short texts. Not in Node's types. */
interface RawText {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  ucs2Slice(start: number, end: number): string;
}

export function rawText(buffer: Buffer): RawText {
  return buffer as unknown as RawText;
}
