import type { DStream } from '../dstream.ts';
import { checkOptions, SORT_OPTIONS } from '../operator-options.ts';
import type { Partitioning } from '../partitioner.ts';
import { callerPlace } from '../place.ts';
import { plainZero } from '../plain-zero.ts';
import type { SortOptions } from '../rdd/rdd-shuffled.ts';
import type { Widened } from '../rdd/widened.ts';
import type { RDD } from '../rdd.ts';
import { DStreamShuffled } from './dstream-shuffled.ts';

type Keyed<K, V> = RDD<readonly [K, V]>;

/** Operators over rows [key, value] of a batch: each does what the RDD's of that name does, batch by batch. For keys and `partitions` see there. */
export abstract class DStreamByKey<T> extends DStreamShuffled<T> {
  /** The key of each row. */
  keys<K, V>(this: DStream<readonly [K, V]>): DStream<K> {
    return this.operator('keys', [], [], callerPlace());
  }

  /** The value of each row. */
  values<K, V>(this: DStream<readonly [K, V]>): DStream<V> {
    return this.operator('values', [], [], callerPlace());
  }

  /** Rows of equal keys in one partition, nothing combined. */
  partitionBy<K, V>(this: DStream<readonly [K, V]>, partitions: Partitioning<K>): DStream<[K, V]> {
    const make = (rdd: Keyed<K, V>) => rdd.partitionBy(partitions);
    return this.perBatch({ name: 'partitionBy', partitions, make });
  }

  /** [key, f over its values of the batch]. f must be associative; values are combined before they move. */
  reduceByKey<K, V>(
    this: DStream<readonly [K, V]>,
    f: (a: Widened<V>, b: Widened<V>) => Widened<V>,
    partitions?: Partitioning<K>,
  ): DStream<[K, Widened<V>]> {
    const make = (rdd: Keyed<K, V>) => rdd.reduceByKey(f, partitions);
    return this.perBatch({ name: 'reduceByKey', functions: [f], partitions, make });
  }

  /** As reduceByKey, from a neutral `zero` of plain data. */
  foldByKey<K, V>(
    this: DStream<readonly [K, V]>,
    zero: Widened<V>,
    f: (a: Widened<V>, b: Widened<V>) => Widened<V>,
    partitions?: Partitioning<K>,
  ): DStream<[K, Widened<V>]> {
    const make = (rdd: Keyed<K, V>) => rdd.foldByKey(zero, f, partitions);
    const check = () => void plainZero('foldByKey', zero);
    return this.perBatch({ name: 'foldByKey', functions: [f], partitions, check, make });
  }

  /** See RDD.aggregateByKey. */
  aggregateByKey<K, V, U>(
    this: DStream<readonly [K, V]>,
    zero: U,
    sequence: (acc: U, value: V) => U,
    combine: (a: U, b: U) => U,
    partitions?: Partitioning<K>,
  ): DStream<[K, U]> {
    const make = (rdd: Keyed<K, V>) => rdd.aggregateByKey(zero, sequence, combine, partitions);
    const check = () => void plainZero('aggregateByKey', zero);
    const functions = [sequence, combine];
    return this.perBatch({ name: 'aggregateByKey', functions, partitions, check, make });
  }

  /** See RDD.combineByKey. */
  combineByKey<K, V, C>(
    this: DStream<readonly [K, V]>,
    create: (value: V) => C,
    mergeValue: (combiner: C, value: V) => C,
    mergeCombiners: (a: C, b: C) => C,
    partitions?: Partitioning<K>,
  ): DStream<[K, C]> {
    const functions = [create, mergeValue, mergeCombiners];
    const make = (rdd: Keyed<K, V>) => rdd.combineByKey(create, mergeValue, mergeCombiners, partitions);
    return this.perBatch({ name: 'combineByKey', functions, partitions, make });
  }

  /** [key, its values of the batch]. Every row moves: see RDD.groupByKey. */
  groupByKey<K, V>(this: DStream<readonly [K, V]>, partitions?: Partitioning<K>): DStream<[K, V[]]> {
    const make = (rdd: Keyed<K, V>) => rdd.groupByKey(partitions);
    return this.perBatch({ name: 'groupByKey', partitions, make });
  }

  /** The rows of each batch in the order of their keys. Runs a job that samples the keys. See RDD.sortByKey. */
  sortByKey<K, V>(this: DStream<readonly [K, V]>, options: SortOptions<K> = {}): DStream<[K, V]> {
    const { compare, partitions } = options;
    const functions = compare === undefined ? [] : [compare];
    const check = () => checkOptions('sortByKey', options, SORT_OPTIONS);
    const make = (rdd: Keyed<K, V>) => rdd.sortByKey(options);
    return this.perBatch({ name: 'sortByKey', functions, partitions, check, make });
  }
}
