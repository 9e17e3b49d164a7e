import { type ErrorDetails, MillraceError, placed } from '@millrace/common';
import { detach } from '../pipeline/detach.ts';
import { BLOCK_BYTES_MAX, decodeColumns, encodeColumns, ROLE } from './column-block.ts';
import { corruptBlock, notMovable } from './shuffle-failure.ts';
import { sizeOf } from './value-size.ts';

/** A row of a shuffle. */
export type Row = readonly [key: unknown, value: unknown];

/** What the two slots of a row take. */
const ROW_BYTES = 16;

/** Rows of a block as columns: the fastest to loop over. Numbers may be typed arrays over the block. */
export interface RowBlock {
  readonly rows: number;
  /** About what the rows take. */
  readonly bytes: number;
  readonly keys: ArrayLike<unknown>;
  readonly values: ArrayLike<unknown>;
  /** A number a row that the writer added, when it added any. */
  readonly marks: ArrayLike<number> | undefined;
  /** Of keys that are texts of a dictionary. */
  readonly numbered?: NumberedKeys;
}

/** `numbers[row]` is that of the key among `texts`: the same text for as long as it is the same array, which only grows. */
export interface NumberedKeys {
  readonly texts: readonly unknown[];
  readonly numbers: ArrayLike<number>;
}

/** Collects rows for a block. What is added is detached: what a lambda does to it later changes nothing here. */
export class RowBuffer {
  #keys: unknown[] = [];
  #values: unknown[] = [];
  #marks: number[] = [];
  #bytes = 0;
  /** Texts that got a number since the last block. */
  #texts: string[] = [];
  /** Keys are numbers of texts. */
  #isNumbered = false;
  #isAnew = true;
  readonly #place: string;

  /** `place` of the operator in the job, for errors. */
  constructor(place: string) {
    this.#place = place;
  }

  get rows(): number {
    return this.#keys.length;
  }

  /** An estimate, in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * `mark`: for all rows of a buffer or for none.
   * @throws MillraceError USER_CODE, with the place, for what cannot be serialized; RESULT_TOO_LARGE for what is too large for a block.
   */
  add(key: unknown, value: unknown, mark?: number): void {
    const movedKey = this.#moved(key, 'a key');
    const movedValue = this.#moved(value, 'a value');
    const bytes = this.#sizeOf(movedKey) + this.#sizeOf(movedValue) + ROW_BYTES;
    this.#keys.push(movedKey);
    this.#values.push(movedValue);
    if (mark !== undefined) this.#marks.push(mark);
    this.#bytes += bytes;
  }

  /** Whether rows may be added by `addNumbered` (or by `add`) before what there is was taken. */
  takes(isNumbered: boolean): boolean {
    return this.#isNumbered === isNumbered || this.rows === 0;
  }

  /** A row whose key is the text of this number: one that was given already, or the next one. @throws as `add`. */
  addNumbered(number: number, text: string, isNew: boolean, value: unknown): void {
    const movedValue = this.#moved(value, 'a value');
    this.#isNumbered = true;
    if (isNew) {
      this.#texts.push(text);
      this.#bytes += sizeOf(text);
    }
    this.#keys.push(number);
    this.#values.push(movedValue);
    this.#bytes += this.#sizeOf(movedValue) + ROW_BYTES;
  }

  /** The next text has number 0. All rows were taken. */
  beginTexts(): void {
    this.#isAnew = true;
  }

  /** The rows as a block, or several; the buffer is empty afterwards. @throws MillraceError USER_CODE, RESULT_TOO_LARGE. */
  take(): Buffer {
    const isNumbered = this.#isNumbered;
    const texts = this.#texts;
    const columns =
      this.#marks.length > 0 ? [this.#keys, this.#values, this.#marks] : [this.#keys, this.#values];
    this.#keys = [];
    this.#values = [];
    this.#marks = [];
    this.#bytes = 0;
    this.#isNumbered = false;
    this.#texts = [];
    try {
      if (!isNumbered) return encodeColumns(columns);
      const rows = encodeColumns(columns, ROLE.NUMBERED);
      if (texts.length === 0) return rows;
      const role = this.#isAnew ? ROLE.TEXTS_ANEW : ROLE.TEXTS;
      this.#isAnew = false;
      return Buffer.concat([encodeColumns([texts], role), rows]);
    } catch (error) {
      if (MillraceError.is(error)) throw placed(error, this.#place);
      throw notMovable('a row', undefined, error, this.#place);
    }
  }

  #sizeOf(value: unknown): number {
    const bytes = sizeOf(value);
    if (bytes > 2 * BLOCK_BYTES_MAX) {
      throw new MillraceError(
        'RESULT_TOO_LARGE',
        `a row of about ${bytes} bytes is too large for a shuffle`,
        {
          remedy: 'Make the keys and values of the shuffle smaller.',
          details: { bytes, place: this.#place },
        },
      );
    }
    return bytes;
  }

  #moved(value: unknown, what: string): unknown {
    if (typeof value === 'string' || typeof value === 'number') return value;
    if (Array.isArray(value) && isFlat(value)) return value.slice();
    try {
      return detach(value);
    } catch (error) {
      // A record that nobody has looked into before.
      if (MillraceError.is(error, 'VALUE_DECODE')) throw error;
      throw notMovable(what, value, error, this.#place);
    }
  }
}

/** Only primitives: pairs of numbers are common, and `detach` is made for more. */
function isFlat(values: readonly unknown[]): boolean {
  for (let index = 0; index < values.length; index++) {
    const value = values[index];
    const type = typeof value;
    if ((type === 'object' && value !== null) || type === 'function' || type === 'symbol') return false;
  }
  return true;
}

/** Reads the blocks of one bucket of one map task, in order. */
export class RowBlockDecoder {
  #texts: unknown[] = [];

  /** undefined: it holds texts for the next ones. @throws MillraceError BLOCK_CORRUPT, USER_CODE. */
  decode(bytes: Buffer, where: ErrorDetails): RowBlock | undefined {
    const { rows, columns, role } = decodeColumns(bytes, where);
    const [keys, values, marks] = columns;
    if (keys === undefined) throw corruptBlock('it holds no rows', where);
    if (role === ROLE.TEXTS || role === ROLE.TEXTS_ANEW) {
      if (role === ROLE.TEXTS_ANEW) this.#texts = [];
      for (let index = 0; index < rows; index++) this.#texts.push(keys[index]);
      return undefined;
    }
    if (values === undefined) throw corruptBlock('it holds no rows', where);
    const block = { rows, bytes: bytes.length, values, marks: marks as ArrayLike<number> | undefined };
    if (role !== ROLE.NUMBERED) return { ...block, keys };
    const numbers = keys as ArrayLike<number>;
    return { ...block, keys: this.#named(numbers, where), numbered: { texts: this.#texts, numbers } };
  }

  #named(numbers: ArrayLike<number>, where: ErrorDetails): unknown[] {
    const texts = this.#texts;
    const keys: unknown[] = [];
    for (let index = 0; index < numbers.length; index++) {
      const number = numbers[index] as number;
      if (!(number < texts.length)) throw corruptBlock('the texts of its keys are missing', where);
      keys.push(texts[number]);
    }
    return keys;
  }
}

/** A block that needs no others before it. @throws MillraceError BLOCK_CORRUPT, USER_CODE. */
export function decodeRowBlock(bytes: Buffer, where: ErrorDetails): RowBlock {
  const block = new RowBlockDecoder().decode(bytes, where);
  if (block === undefined) throw corruptBlock('it holds no rows', where);
  return block;
}

/** The rows of a block as `[key, value]`, new ones. */
export function rowsOfBlock({ rows, keys, values }: RowBlock): [key: unknown, value: unknown][] {
  const pairs: [unknown, unknown][] = [];
  for (let index = 0; index < rows; index++) pairs.push([keys[index], values[index]]);
  return pairs;
}
