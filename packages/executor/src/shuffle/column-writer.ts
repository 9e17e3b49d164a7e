import { serialize } from 'node:v8';
import { COLUMN, COLUMN_WORDS, type ColumnKind, lengthsAt, padded, TUPLE_LENGTH_MAX } from './column.ts';

/** A column that is ready to be written: its size is known before there is a buffer for it. */
export interface ColumnPlan {
  readonly kind: ColumnKind;
  readonly width: number;
  readonly bytes: number;
  /** Writes exactly `bytes` at `at`, a multiple of 8. */
  readonly write: (target: Buffer, at: number) => void;
}

/** Writes the headers of the columns, and the columns, from `at` on: what a block, and a TUPLE, consists of. */
export function writeColumns(target: Buffer, at: number, plans: readonly ColumnPlan[]): void {
  const words = plans.flatMap(({ kind, width, bytes }) => [kind, width, bytes, 0]);
  new Uint32Array(target.buffer, target.byteOffset + at, words.length).set(words);
  let next = at + words.length * 4;
  for (const plan of plans) {
    plan.write(target, next);
    const end = next + plan.bytes;
    next += padded(plan.bytes);
    target.fill(0, end, next);
  }
}

/** What `writeColumns` fills. */
export function columnsBytes(plans: readonly ColumnPlan[]): number {
  let bytes = COLUMN_WORDS * 4 * plans.length;
  for (const plan of plans) bytes += padded(plan.bytes);
  return bytes;
}

/** `values` must be movable (detached) already. @throws what V8's serialization throws. */
export function planColumn(values: readonly unknown[]): ColumnPlan {
  const first = values[0];
  switch (typeof first) {
    case 'undefined':
      return all(values, isUndefined) ? constant(COLUMN.UNDEFINED) : planV8(values);
    case 'boolean':
      return all(values, isBoolean) ? planBooleans(values) : planV8(values);
    case 'number':
      return planNumbers(values);
    case 'string':
      return all(values, isString) ? planTexts(values) : planV8(values);
    case 'object':
      return planObjects(values, first);
    default:
      return planV8(values);
  }
}

function planObjects(values: readonly unknown[], first: object | null): ColumnPlan {
  if (first === null) return all(values, isNull) ? constant(COLUMN.NULL) : planV8(values);
  if (Buffer.isBuffer(first))
    return all(values, isBuffer) ? planBytes(COLUMN.BUFFER, values) : planV8(values);
  if (Array.isArray(first)) return planTuples(values, first.length) ?? planV8(values);
  return all(values, isPlainBytes) ? planBytes(COLUMN.BYTES, values) : planV8(values);
}

function all<T>(values: readonly unknown[], is: (value: unknown) => value is T): values is readonly T[] {
  for (let index = 0; index < values.length; index++) if (!is(values[index])) return false;
  return true;
}

const isUndefined = (value: unknown): value is undefined => value === undefined;
const isNull = (value: unknown): value is null => value === null;
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
const isString = (value: unknown): value is string => typeof value === 'string';
const isBuffer = (value: unknown): value is Buffer => Buffer.isBuffer(value);
/** By its tag: `instanceof` fails for another realm, and subclasses of a job are V8's business. */
const isPlainBytes = (value: unknown): value is Uint8Array =>
  !Buffer.isBuffer(value) && ArrayBuffer.isView(value) && value.constructor?.name === 'Uint8Array';

function planTuples(values: readonly unknown[], length: number): ColumnPlan | undefined {
  if (length === 0 || length > TUPLE_LENGTH_MAX) return undefined;
  const columns = Array.from({ length }, (): unknown[] => []);
  for (let row = 0; row < values.length; row++) {
    const tuple = values[row];
    if (!Array.isArray(tuple) || tuple.length !== length) return undefined;
    for (let index = 0; index < length; index++) {
      const item: unknown = tuple[index];
      // Shared parts, cycles and holes are V8's business.
      if ((typeof item === 'object' && item !== null) || (item === undefined && !(index in tuple)))
        return undefined;
      columns[index]?.push(item);
    }
  }
  const plans = columns.map((column) => planColumn(column));
  return {
    kind: COLUMN.TUPLE,
    width: length,
    bytes: columnsBytes(plans),
    write: (target, at) => writeColumns(target, at, plans),
  };
}

function constant(kind: ColumnKind): ColumnPlan {
  return { kind, width: 0, bytes: 0, write: () => undefined };
}

function planV8(values: readonly unknown[]): ColumnPlan {
  const bytes = serialize(values);
  return {
    kind: COLUMN.V8,
    width: 0,
    bytes: bytes.length,
    write: (target, at) => target.set(bytes, at),
  };
}

function planBooleans(values: readonly boolean[]): ColumnPlan {
  return {
    kind: COLUMN.BOOLEAN,
    width: 0,
    bytes: values.length,
    write: (target, at) => {
      for (let index = 0; index < values.length; index++) target[at + index] = values[index] === true ? 1 : 0;
    },
  };
}

function planNumbers(values: readonly unknown[]): ColumnPlan {
  let isInt32 = true;
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    if (typeof value !== 'number') return planV8(values);
    if (isInt32 && ((value | 0) !== value || Object.is(value, -0))) isInt32 = false;
  }
  const numbers = values as readonly number[];
  const [kind, size] = isInt32 ? ([COLUMN.INT32, 4] as const) : ([COLUMN.DOUBLE, 8] as const);
  return {
    kind,
    width: 0,
    bytes: numbers.length * size,
    write: (target, at) => {
      const { buffer, byteOffset } = target;
      const column = isInt32
        ? new Int32Array(buffer, byteOffset + at, numbers.length)
        : new Float64Array(buffer, byteOffset + at, numbers.length);
      for (let index = 0; index < numbers.length; index++) column[index] = numbers[index] ?? 0;
    },
  };
}

function planTexts(values: readonly string[]): ColumnPlan {
  // One text of all: one call into C++ for a column instead of one a value.
  let text = '';
  for (let index = 0; index < values.length; index++) text += values[index];
  const bytes = Buffer.byteLength(text);
  if (bytes === text.length) {
    const lengths = values.map(({ length }) => length);
    return planBody(COLUMN.ASCII, lengths, bytes, (target, at) => {
      target.write(text, at, 'latin1');
    });
  }
  if (values.every((value) => value.isWellFormed())) {
    const lengths = values.map((value) => Buffer.byteLength(value));
    return planBody(COLUMN.UTF8, lengths, bytes, (target, at) => {
      target.write(text, at, 'utf8');
    });
  }
  const lengths = values.map(({ length }) => 2 * length);
  return planBody(COLUMN.UTF16, lengths, 2 * text.length, (target, at) => {
    target.write(text, at, 'utf16le');
  });
}

function planBytes(kind: ColumnKind, values: readonly Uint8Array[]): ColumnPlan {
  const lengths = values.map(({ length }) => length);
  let bytes = 0;
  for (const length of lengths) bytes += length;
  return planBody(kind, lengths, bytes, (target, at) => {
    let next = at;
    for (const value of values) {
      target.set(value, next);
      next += value.length;
    }
  });
}

function planBody(
  kind: ColumnKind,
  lengths: readonly number[],
  bytes: number,
  write: (target: Buffer, at: number) => void,
): ColumnPlan {
  let longest = 0;
  for (const length of lengths) if (length > longest) longest = length;
  const width = longest < 0x1_00 ? 1 : longest < 0x1_00_00 ? 2 : 4;
  return {
    kind,
    width,
    bytes: width * lengths.length + bytes,
    write: (target, at) => {
      lengthsAt(target, at, lengths.length, width).set(lengths);
      write(target, at + width * lengths.length);
    },
  };
}
