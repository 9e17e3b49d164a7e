import { inspect } from 'node:util';
import { MillraceError, messageOf } from '@millrace/common';
import type { RecordColumns } from '@millrace/kafka';

/** Decodes one key or value from its columns. Row `i` is known not to be null. */
export type ColumnDecoder = (bytes: Buffer, start: number, end: number) => unknown;

/** How the keys and values of a task are decoded. */
export interface RowDecoders {
  readonly key: ColumnDecoder;
  readonly keyNullable: boolean;
  readonly value: ColumnDecoder;
  readonly valueNullable: boolean;
}

// Node's undocumented but stable fast path: utf8Slice needs no options parsing (30 % of a short string's cost).
type FastBuffer = Buffer & { utf8Slice(start: number, end: number): string };

const DECODERS: Readonly<Record<string, ColumnDecoder>> = {
  utf8: (bytes, start, end) => (bytes as FastBuffer).utf8Slice(start, end),
  json: (bytes, start, end) => JSON.parse((bytes as FastBuffer).utf8Slice(start, end)) as unknown,
  bytes: (bytes, start, end) => bytes.subarray(start, end),
};

/** The decoder of a built-in codec, or of a custom one by its function. */
export function columnDecoder(name: string, decode: Function | undefined): ColumnDecoder {
  if (decode) return (bytes, start, end) => synchronous(decode(bytes.subarray(start, end)));
  const known = DECODERS[name];
  if (known) return known;
  throw new MillraceError('BAD_REQUEST', `unknown codec "${name}"`);
}

function synchronous(decoded: unknown): unknown {
  if (!(decoded instanceof Promise)) return decoded;
  decoded.catch(() => undefined);
  throw new TypeError(
    'decode() returned a Promise; decode synchronously, or read bytes() and use mapAsync()',
  );
}

/** Of a record that is there, and stays. */
const PAST_IT =
  "To get past what is there: onDecodeError of the stream ('skip', or { deadLetterTopic }), or stop and go behind it with millrace offsets set.";

// Told apart from every value that a decoder can return.
const UNREAD = Symbol('unread');

/**
 * A record as lambdas see it: a place in the columns of its fetch. Everything is read from there when asked for, and key and value are
 * decoded once: one row is made a record, so each field more would cost every job (`npm run bench -- json`).
 * It keeps its fetch's buffer alive: what outlives the task is copied by `detach`.
 */
export class KafkaRow {
  readonly #columns: RecordColumns;
  readonly #index: number;
  readonly #decoders: RowDecoders;
  #key: unknown = UNREAD;
  #value: unknown = UNREAD;

  constructor(columns: RecordColumns, index: number, decoders: RowDecoders) {
    this.#columns = columns;
    this.#index = index;
    this.#decoders = decoders;
  }

  /** The bytes of a key or value as they were read: a view of the fetch. */
  static raw(row: KafkaRow, part: 'key' | 'value'): Buffer | null {
    return row.#columns[part](row.#index);
  }

  /** About what it adds to its fetch when all of that is kept: its share of the bytes. */
  static sizeOf(row: KafkaRow): number {
    const { keyLength, valueLength } = row.#columns;
    const ofKey = keyLength[row.#index] as number;
    const ofValue = valueLength[row.#index] as number;
    return Math.max(0, ofKey) + Math.max(0, ofValue);
  }

  get topic(): string {
    return this.#columns.topic;
  }

  get partition(): number {
    return this.#columns.partition;
  }

  get offset(): number {
    return this.#columns.offset[this.#index] as number;
  }

  get timestamp(): number {
    return this.#columns.timestamp[this.#index] as number;
  }

  get key(): unknown {
    if (this.#key === UNREAD) {
      const { keyStart, keyLength } = this.#columns;
      const start = keyStart[this.#index] as number;
      const length = keyLength[this.#index] as number;
      this.#key = this.#decode('key', start, length, this.#decoders.key, this.#decoders.keyNullable);
    }
    return this.#key;
  }

  get value(): unknown {
    if (this.#value === UNREAD) {
      const { valueStart, valueLength } = this.#columns;
      const start = valueStart[this.#index] as number;
      const length = valueLength[this.#index] as number;
      this.#value = this.#decode('value', start, length, this.#decoders.value, this.#decoders.valueNullable);
    }
    return this.#value;
  }

  get headers(): ReadonlyArray<readonly [string, Uint8Array | null]> {
    return this.#columns.headers(this.#index);
  }

  #decode(what: string, start: number, length: number, decoder: ColumnDecoder, nullable: boolean): unknown {
    if (length < 0) {
      if (nullable) return null;
      throw this.#undecodable(what, 'it is null', `Wrap the ${what}'s codec in nullable(). ${PAST_IT}`);
    }
    try {
      return decoder(this.#columns.buf, start, start + length);
    } catch (error) {
      throw this.#undecodable(
        what,
        messageOf(error),
        `Mend the producer, or read it as bytes() and decide yourself. ${PAST_IT}`,
        error,
      );
    }
  }

  #undecodable(what: string, why: string, remedy: string, cause?: unknown): MillraceError {
    const { topic, partition, offset } = this;
    return new MillraceError(
      'VALUE_DECODE',
      `the ${what} at offset ${offset} of ${topic}-${partition} does not decode: ${why}`,
      {
        remedy,
        details: { topic, partition, offset, what },
        ...(cause === undefined ? {} : { cause }),
      },
    );
  }

  /** A copy with plain properties that pins nothing. */
  toJSON(): Record<string, unknown> {
    return {
      topic: this.topic,
      partition: this.partition,
      offset: this.offset,
      timestamp: this.timestamp,
      key: copyBytes(this.key),
      value: copyBytes(this.value),
      headers: this.headers.map(([name, value]) => [name, copyBytes(value)]),
    };
  }

  [inspect.custom](): unknown {
    return this.toJSON();
  }
}

function copyBytes(value: unknown): unknown {
  return Buffer.isBuffer(value) ? Buffer.from(value) : value;
}
