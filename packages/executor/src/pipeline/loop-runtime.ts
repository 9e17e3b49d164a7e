import { deserialize } from 'node:v8';
import { canonicalKey, elementPromise } from '@millrace/api/internal';
import { MillraceError, placed, type Random, seededRandom } from '@millrace/common';
import type { TaskSink } from '../output/task-sink.ts';
import type { BucketRows } from '../shuffle/bucket-rows.ts';
import type { Combiner } from '../shuffle/combiner.ts';
import { owned } from './detach.ts';
import type { KafkaRow } from './kafka-row.ts';
import { OrderedRows } from './ordered-rows.ts';

export interface LoopPlace {
  readonly kind: string;
  readonly place: string;
  readonly numbers: readonly number[];
}

/** What a loop combines rows with. */
export interface LoopCombiner {
  readonly rows: Combiner;
  readonly f: Function | undefined;
  readonly checked: (made: unknown) => unknown;
}

/** What the generated loop calls: the rare paths, kept out of it. */
export class LoopRuntime {
  /** Index of the row being worked on. */
  at = 0;
  /** Called for each record that is left out because it does not decode. */
  undecodable: ((row: KafkaRow, error: MillraceError) => void) | undefined;
  /** Of an action that writes its rows. */
  sink: TaskSink | undefined;
  /** Of an operator that combines rows by key; read when its loop is made. */
  combiner: LoopCombiner | undefined;
  /** Of a map task; read when its loop is made. */
  buckets: BucketRows | undefined;
  readonly #operators: readonly LoopPlace[];
  readonly #action: LoopPlace;
  readonly #zero: Uint8Array | undefined;
  readonly #randoms: Random[];

  /** An operator draws by its own seed and its partition, wherever in a job it stands and whenever that runs. */
  constructor(
    operators: readonly LoopPlace[],
    action: LoopPlace,
    zero: Uint8Array | undefined,
    partition: number,
  ) {
    this.#operators = operators;
    this.#action = action;
    this.#zero = zero;
    this.#randoms = operators.map(({ numbers }) =>
      seededRandom(mix(mix(0, partition - (numbers[3] ?? 0)), numbers[2] ?? 0)),
    );
  }

  /** Whether key and value decode; of one that does not somebody is told. Only asked where such records are to be left out. */
  decodes(row: KafkaRow): boolean {
    try {
      void row.key;
      void row.value;
      return true;
    } catch (error) {
      if (!MillraceError.is(error, 'VALUE_DECODE')) throw error;
      this.undecodable?.(row, error);
      return false;
    }
  }

  /** An element function returned a Promise. */
  promise(index: number, promise: Promise<unknown>): never {
    // It is reported here: its own failure must not end the process.
    promise.catch(() => undefined);
    const { kind, place } = this.#operators[index] ?? this.#action;
    throw elementPromise(kind, place);
  }

  /** flatMap and flatMapValues need something to iterate. */
  notIterable(index: number, value: unknown): never {
    if (value instanceof Promise) this.promise(index, value);
    const { kind, place } = this.#operators[index] ?? this.#action;
    throw new MillraceError(
      'USER_CODE',
      `the function of ${kind}() at ${place} must return something iterable, got ${value === null ? 'null' : typeof value}`,
      {
        remedy: 'Return an array, also for no row ([]) or one ([row]).',
        retryable: false,
        details: { place },
      },
    );
  }

  /** Whether a filter lets through what is not exactly `true`. */
  truthy(value: unknown, index: number): boolean {
    if (value instanceof Promise) this.promise(index, value);
    return Boolean(value);
  }

  random(index: number): number {
    return this.#randoms[index]?.next() ?? 0;
  }

  /** A Poisson-distributed count (Knuth's method; means above 30 are split, so that exp(−mean) does not vanish). */
  poisson(index: number, mean: number): number {
    let count = 0;
    for (let rest = mean; rest > 0; rest -= 30) {
      const limit = Math.exp(-Math.min(rest, 30));
      for (let product = this.random(index); product > limit; product *= this.random(index)) count++;
    }
    return count;
  }

  /** A fresh copy of the action's value. */
  zero(): unknown {
    return this.#zero === undefined ? undefined : (deserialize(this.#zero) as unknown);
  }

  detach(row: unknown): unknown {
    try {
      return owned(row);
    } catch (error) {
      throw MillraceError.is(error) ? placed(error, this.#action.place) : error;
    }
  }

  /** A row that is no array may still have a key and a value: whatever is iterable. */
  pair(row: unknown): readonly unknown[] {
    const [key, value] = row as Iterable<unknown>;
    return [key, value];
  }

  canonicalKey(value: unknown): string {
    return canonicalKey(value);
  }

  ordered(
    n: number,
    direction: number,
    compare: ((a: unknown, b: unknown) => number) | undefined,
  ): OrderedRows {
    return new OrderedRows(n, direction, compare);
  }
}

/** Mixes two integers to one of 32 bits (MurmurHash3's finalizer). */
export function mix(a: number, b: number): number {
  let h = (a ^ Math.imul(b | 0, 0x9e3779b1)) >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
