import { deserialize } from 'node:v8';
import { VIEW_LENGTH_MIN } from '../pipeline/own-text.ts';
import {
  COLUMN,
  COLUMN_WORDS,
  lengthsAt,
  padded,
  rawText,
  type StoredColumn,
  TUPLE_LENGTH_MAX,
} from './column.ts';

/**
 * The values of `count` columns whose headers stand at `at`, a multiple of 8, in order; undefined when they contradict themselves, or reach
 * beyond `end`.
 */
export function readColumns(
  block: Buffer,
  at: number,
  end: number,
  count: number,
  rows: number,
): ArrayLike<unknown>[] | undefined {
  let next = at + COLUMN_WORDS * 4 * count;
  if (next > end) return undefined;
  const words = new Uint32Array(block.buffer, block.byteOffset + at, COLUMN_WORDS * count);
  const columns: ArrayLike<unknown>[] = [];
  for (let index = 0; index < count; index++) {
    const [kind = 0, width = 0, bytes = 0] = words.subarray(index * COLUMN_WORDS);
    if (next + padded(bytes) > end) return undefined;
    const values = readColumn(block, { kind, width, at: next, bytes }, rows);
    if (values === undefined) return undefined;
    columns.push(values);
    next += padded(bytes);
  }
  return columns;
}

/**
 * The values of a column of `rows` rows; undefined when its parts contradict each other. Numbers are views of the block; what else is not
 * a primitive is a copy, but for bytes inside of V8's values.
 * @throws what V8's deserialization throws.
 */
function readColumn(block: Buffer, column: StoredColumn, rows: number): ArrayLike<unknown> | undefined {
  const { kind, at, bytes } = column;
  switch (kind) {
    case COLUMN.UNDEFINED:
    case COLUMN.NULL:
      return bytes === 0 ? filled(rows, kind === COLUMN.NULL ? null : undefined) : undefined;
    case COLUMN.BOOLEAN:
      return bytes === rows ? Array.from(block.subarray(at, at + rows), (byte) => byte === 1) : undefined;
    case COLUMN.INT32:
      return bytes === 4 * rows ? new Int32Array(block.buffer, block.byteOffset + at, rows) : undefined;
    case COLUMN.DOUBLE:
      return bytes === 8 * rows ? new Float64Array(block.buffer, block.byteOffset + at, rows) : undefined;
    case COLUMN.V8: {
      const values = deserialize(block.subarray(at, at + bytes)) as unknown;
      return Array.isArray(values) && values.length === rows ? values : undefined;
    }
    case COLUMN.TUPLE:
      return readTuples(block, column, rows);
    default:
      return readBody(block, column, rows);
  }
}

function filled(rows: number, value: null | undefined): unknown[] {
  return Array.from<unknown>({ length: rows }).fill(value);
}

function readTuples(block: Buffer, { at, bytes, width }: StoredColumn, rows: number): unknown[] | undefined {
  if (width > TUPLE_LENGTH_MAX) return undefined;
  const columns = readColumns(block, at, at + bytes, width, rows);
  if (columns === undefined) return undefined;
  const [first = [], second = []] = columns;
  const tuples: unknown[] = [];
  for (let row = 0; row < rows; row++) {
    tuples.push(width === 2 ? [first[row], second[row]] : columns.map((column) => column[row]));
  }
  return tuples;
}

function readBody(block: Buffer, column: StoredColumn, rows: number): unknown[] | undefined {
  const { kind, width, at, bytes } = column;
  if (width !== 1 && width !== 2 && width !== 4) return undefined;
  const start = at + width * rows;
  const end = at + bytes;
  if (start > end) return undefined;
  const lengths = lengthsAt(block, at, rows, width);
  let sum = 0;
  for (let index = 0; index < rows; index++) sum += lengths[index] ?? 0;
  if (sum !== end - start) return undefined;
  switch (kind) {
    case COLUMN.ASCII:
      return readAscii(block, lengths, start, end);
    case COLUMN.UTF8:
      return cut(lengths, start, (from, until) => rawText(block).utf8Slice(from, until));
    case COLUMN.UTF16:
      return cut(lengths, start, (from, until) => rawText(block).ucs2Slice(from, until));
    case COLUMN.BUFFER:
      return cut(lengths, start, (from, until) => Buffer.from(block.subarray(from, until)));
    case COLUMN.BYTES:
      return cut(lengths, start, (from, until) => new Uint8Array(block.subarray(from, until)));
    default:
      return undefined;
  }
}

/** A view would keep the whole column alive, and is slow as a key of a Map. */
function readAscii(block: Buffer, lengths: ArrayLike<number>, start: number, end: number): string[] {
  const text = block.toString('latin1', start, end);
  const values: string[] = [];
  let at = 0;
  for (let index = 0; index < lengths.length; index++) {
    const until = at + (lengths[index] ?? 0);
    values.push(
      until - at < VIEW_LENGTH_MIN
        ? text.slice(at, until)
        : rawText(block).latin1Slice(start + at, start + until),
    );
    at = until;
  }
  return values;
}

function cut(
  lengths: ArrayLike<number>,
  start: number,
  value: (from: number, until: number) => unknown,
): unknown[] {
  const values: unknown[] = [];
  let from = start;
  for (let index = 0; index < lengths.length; index++) {
    const until = from + (lengths[index] ?? 0);
    values.push(value(from, until));
    from = until;
  }
  return values;
}
