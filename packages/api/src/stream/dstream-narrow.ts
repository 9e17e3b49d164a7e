import type { DStream } from '../dstream.ts';
import { mapAsyncNumbers, sampleNumbers } from '../operator-numbers.ts';
import { callerPlace, placeOf } from '../place.ts';
import type { Rows, RowsResult } from '../rows.ts';
import { DStreamPostgres } from './dstream-postgres.ts';

/** Transformations that stay in their partition. */
export abstract class DStreamNarrow<T> extends DStreamPostgres<T> {
  /** Each row → f(row). */
  map<U>(f: (row: T) => U): DStream<U> {
    return this.element('map', f);
  }

  /** Each row → every item of f(row). */
  flatMap<U>(f: (row: T) => Iterable<U>): DStream<U> {
    return this.element('flatMap', f);
  }

  /** The rows for which f is truthy. */
  filter<S extends T>(f: (row: T) => row is S): DStream<S>;
  filter(f: (row: T) => boolean): DStream<T>;
  filter(f: (row: T) => boolean): DStream<T> {
    return this.element('filter', f);
  }

  /** The rows of each partition → the rows that f makes of them. May be asynchronous. */
  mapPartitions<U>(f: (rows: Rows<T>) => RowsResult<U>): DStream<U> {
    return this.operator('mapPartitions', [f], [], placeOf(f));
  }

  /** As mapPartitions, with the index of the partition. */
  mapPartitionsWithIndex<U>(f: (partition: number, rows: Rows<T>) => RowsResult<U>): DStream<U> {
    return this.operator('mapPartitionsWithIndex', [f], [], placeOf(f));
  }

  /** Each row → await f(row), at most `concurrency` (default 16) at a time; order is kept. */
  mapAsync<U>(f: (row: T) => Promise<U> | U, options: { readonly concurrency?: number } = {}): DStream<U> {
    const numbers = this.checked(() => mapAsyncNumbers(options));
    return this.operator('mapAsync', [f], numbers, placeOf(f));
  }

  /** Each partition as one array. */
  glom(): DStream<T[]> {
    return this.operator('glom', [], [], callerPlace());
  }

  /** The partitions of this and then of the others, batch by batch. */
  union(...others: readonly DStream<T>[]): DStream<T> {
    const parents = [this.node, ...others.map(({ node }) => node)];
    this.graph.checkSlides('union', parents, callerPlace());
    return this.derived({ kind: 'union', parents });
  }

  /** Each row → [f(row), row]. */
  keyBy<K>(f: (row: T) => K): DStream<[K, T]> {
    return this.element('keyBy', f);
  }

  /** [key, value] → [key, f(value)]. */
  mapValues<K, V, U>(this: DStream<readonly [K, V]>, f: (value: V) => U): DStream<[K, U]> {
    return this.element('mapValues', f);
  }

  /** [key, value] → [key, each item of f(value)]. */
  flatMapValues<K, V, U>(this: DStream<readonly [K, V]>, f: (value: V) => Iterable<U>): DStream<[K, U]> {
    return this.element('flatMapValues', f);
  }

  /** A random part of the rows of each batch; a re-run of a batch samples the same rows. See RDD.sample. */
  sample(withReplacement: boolean, fraction: number, seed = 0): DStream<T> {
    const numbers = this.checked(() => sampleNumbers(withReplacement, fraction, seed));
    return this.operator('sample', [], numbers, callerPlace());
  }
}
