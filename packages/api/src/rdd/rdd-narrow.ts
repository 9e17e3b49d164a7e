import { sampleSeed } from '../lineage/sample-seed.ts';
import { mapAsyncNumbers, sampleNumbers, seeded } from '../operator-numbers.ts';
import { callerPlace, placeOf } from '../place.ts';
import type { RDD } from '../rdd.ts';
import type { Rows, RowsResult } from '../rows.ts';
import { RddOutputs } from './rdd-outputs.ts';

/** Transformations that stay in their partition. */
export abstract class RddNarrow<T> extends RddOutputs<T> {
  /** Each row → f(row). @throws MillraceError CLOSURE_* when the lambda cannot ship (so do all transformations). */
  map<U>(f: (row: T) => U): RDD<U> {
    return this.element('map', f);
  }

  /** Each row → every item of f(row). */
  flatMap<U>(f: (row: T) => Iterable<U>): RDD<U> {
    return this.element('flatMap', f);
  }

  /** The rows for which f is truthy. */
  filter<S extends T>(f: (row: T) => row is S): RDD<S>;
  filter(f: (row: T) => boolean): RDD<T>;
  filter(f: (row: T) => boolean): RDD<T> {
    return this.element('filter', f);
  }

  /** The rows of each partition → the rows that f makes of them. May be asynchronous. */
  mapPartitions<U>(f: (rows: Rows<T>) => RowsResult<U>): RDD<U> {
    return this.operator('mapPartitions', [f], [], placeOf(f));
  }

  /** As mapPartitions, with the index of the partition. */
  mapPartitionsWithIndex<U>(f: (partition: number, rows: Rows<T>) => RowsResult<U>): RDD<U> {
    return this.operator('mapPartitionsWithIndex', [f], [], placeOf(f));
  }

  /** Each row → await f(row), at most `concurrency` (default 16) at a time; order is kept. */
  mapAsync<U>(f: (row: T) => Promise<U> | U, options: { readonly concurrency?: number } = {}): RDD<U> {
    return this.operator('mapAsync', [f], mapAsyncNumbers(options), placeOf(f));
  }

  /** Each partition as one array. */
  glom(): RDD<T[]> {
    return this.operator('glom', [], [], callerPlace());
  }

  /** The partitions of this and then of the others. Nothing moves. */
  union(...others: readonly RDD<T>[]): RDD<T> {
    return this.derived({ kind: 'union', parents: [this.node, ...others.map((other) => other.node)] });
  }

  /** Each row → [f(row), row]. */
  keyBy<K>(f: (row: T) => K): RDD<[K, T]> {
    return this.element('keyBy', f);
  }

  /** [key, value] → [key, f(value)]. */
  mapValues<K, V, U>(this: RDD<readonly [K, V]>, f: (value: V) => U): RDD<[K, U]> {
    return this.element('mapValues', f);
  }

  /** [key, value] → [key, each item of f(value)]. */
  flatMapValues<K, V, U>(this: RDD<readonly [K, V]>, f: (value: V) => Iterable<U>): RDD<[K, U]> {
    return this.element('flatMapValues', f);
  }

  /**
   * A random part of the rows, the same ones whenever they are computed; other offset ranges give other ones.
   * `fraction`: without replacement the probability of each row, in [0, 1]; with it the expected count of each row, ≥ 0.
   */
  sample(withReplacement: boolean, fraction: number, seed = 0): RDD<T> {
    const numbers = sampleNumbers(withReplacement, fraction, seed);
    return this.operator('sample', [], seeded(numbers, sampleSeed(this.node, seed)), callerPlace());
  }
}
