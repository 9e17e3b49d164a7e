import type { DStream } from '../dstream.ts';
import { COALESCE_OPTIONS, checkOptions, SORT_OPTIONS } from '../operator-options.ts';
import type { Partitioning } from '../partitioner.ts';
import type { SortOptions } from '../rdd/rdd-shuffled.ts';
import { countedRows, countedValues, reducedRows } from '../rdd/whole-dataset.ts';
import type { RDD } from '../rdd.ts';
import { DStreamNarrow } from './dstream-narrow.ts';

/** Operators over the rows of a batch, whatever they are. Each does what the RDD's of that name does, batch by batch. */
export abstract class DStreamShuffled<T> extends DStreamNarrow<T> {
  /** How many rows each batch has: one row, also when there is none. */
  count(): DStream<number> {
    return this.planned({ name: 'count' }, countedRows);
  }

  /** f over all rows of each batch: one row, or none of an empty batch. f must be associative. */
  reduce(f: (a: T, b: T) => T): DStream<T> {
    return this.planned({ name: 'reduce', functions: [f] }, (plan, node) => reducedRows(plan, node, f));
  }

  /** [row, how often it occurs in the batch]. Rows that are equal as keys are one. */
  countByValue(partitions?: Partitioning<T>): DStream<[T, number]> {
    return this.planned({ name: 'countByValue', partitions }, (plan, node) =>
      countedValues(plan, node, partitions),
    );
  }

  /** See RDD.repartition. */
  repartition(partitions: number): DStream<T> {
    return this.perBatch({ name: 'repartition', partitions, make: (rdd) => rdd.repartition(partitions) });
  }

  /** See RDD.coalesce. */
  coalesce(partitions: number, options: { readonly shuffle?: boolean } = {}): DStream<T> {
    const check = () => checkOptions('coalesce', options, COALESCE_OPTIONS);
    return this.perBatch({
      name: 'coalesce',
      partitions,
      check,
      make: (rdd) => rdd.coalesce(partitions, options),
    });
  }

  /** Each distinct row of a batch once. */
  distinct(partitions?: Partitioning<T>): DStream<T> {
    return this.perBatch({ name: 'distinct', partitions, make: (rdd) => rdd.distinct(partitions) });
  }

  /** [f(row), all rows of that key in the batch]. See RDD.groupBy. */
  groupBy<K>(f: (row: T) => K, partitions?: Partitioning<K>): DStream<[K, T[]]> {
    const make = (rdd: RDD<T>) => rdd.groupBy(f, partitions);
    return this.perBatch({ name: 'groupBy', functions: [f], partitions, make });
  }

  /** The rows of each batch in the order of f(row). Runs a job that samples the keys. See RDD.sortBy. */
  sortBy<K>(f: (row: T) => K, options: SortOptions<K> = {}): DStream<T> {
    const { compare, partitions } = options;
    const functions = compare === undefined ? [f] : [f, compare];
    const check = () => checkOptions('sortBy', options, SORT_OPTIONS);
    const make = (rdd: RDD<T>) => rdd.sortBy(f, options);
    return this.perBatch({ name: 'sortBy', functions, partitions, check, make });
  }

  /** The rows of a batch that the other stream's batch has not; duplicates stay. */
  subtract(other: DStream<T>, partitions?: Partitioning<T>): DStream<T> {
    const make = (rdd: RDD<T>, [that]: readonly RDD<T>[]) => rdd.subtract(that as RDD<T>, partitions);
    return this.perBatch({ name: 'subtract', others: [other], partitions, make });
  }

  /** The distinct rows that both streams have in a batch. */
  intersection(other: DStream<T>, partitions?: Partitioning<T>): DStream<T> {
    const make = (rdd: RDD<T>, [that]: readonly RDD<T>[]) => rdd.intersection(that as RDD<T>, partitions);
    return this.perBatch({ name: 'intersection', others: [other], partitions, make });
  }

  /** Each row of a batch with each row of the other stream's batch. */
  cartesian<U>(other: DStream<U>): DStream<[T, U]> {
    const make = (rdd: RDD<T>, [that]: readonly RDD<U>[]) => rdd.cartesian(that as RDD<U>);
    return this.perBatch({ name: 'cartesian', others: [other], make });
  }

  /** Row by row with the other stream's batch. See RDD.zip. */
  zip<U>(other: DStream<U>): DStream<[T, U]> {
    const make = (rdd: RDD<T>, [that]: readonly RDD<U>[]) => rdd.zip(that as RDD<U>);
    return this.perBatch({ name: 'zip', others: [other], make });
  }

  /** [row, its index in the batch]. Runs a job that counts rows. */
  zipWithIndex(): DStream<[T, number]> {
    return this.perBatch({ name: 'zipWithIndex', make: (rdd) => rdd.zipWithIndex() });
  }
}
