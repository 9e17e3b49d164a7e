import { serialize } from 'node:v8';
import { hashPartition } from '../key-hash.ts';
import { keyText } from '../key-map.ts';
import { type PartitionerCall, partitionerOf } from '../lineage/partitioner-call.ts';
import { type KeySample, rangeBounds, rangeIndex } from '../lineage/range-index.ts';
import { checkOptions, SORT_OPTIONS } from '../operator-options.ts';
import type { Partitioning } from '../partitioner.ts';
import { failingAt } from '../place.ts';
import { plainValue, plainZero } from '../plain-zero.ts';
import type { RDD } from '../rdd.ts';
import { RddShuffled, type SortOptions } from './rdd-shuffled.ts';
import type { ShufflePlan } from './shuffle-plan.ts';
import type { Widened } from './widened.ts';

/**
 * Transformations of rows [key, value]. Keys are strings, numbers, bigints, booleans, null, undefined, Dates, bytes, and arrays and plain objects
 * of these; they are equal by content. Another key fails the task with USER_CODE at the operator's place.
 * `partitions`: how the result is partitioned; default: as a parent is, else by hash over as many partitions as the largest parent has.
 * Rows that are partitioned so already do not move.
 */
export abstract class RddByKey<T> extends RddShuffled<T> {
  /** The key of each row. */
  keys<K, V>(this: RDD<readonly [K, V]>): RDD<K> {
    return this.derived(this.plan('keys').operator(this.node, 'keys'));
  }

  /** The value of each row. */
  values<K, V>(this: RDD<readonly [K, V]>): RDD<V> {
    return this.derived(this.plan('values').operator(this.node, 'values'));
  }

  /** Rows of equal keys in one partition, nothing combined. */
  partitionBy<K, V>(this: RDD<readonly [K, V]>, partitions: Partitioning<K>): RDD<[K, V]> {
    const plan = this.plan('partitionBy');
    return this.derived(plan.moved(this.node, plan.partitioner(partitions, [this.node])));
  }

  /** [key, f over its values]. f must be associative; values are combined before they move, one row a key and partition. */
  reduceByKey<K, V>(
    this: RDD<readonly [K, V]>,
    f: (a: Widened<V>, b: Widened<V>) => Widened<V>,
    partitions?: Partitioning<K>,
  ): RDD<[K, Widened<V>]> {
    const plan = this.plan('reduceByKey', f);
    const functions = plan.shipped('reduceByKey', f);
    return this.#combined(plan, { map: { functions }, reduce: { functions } }, partitions);
  }

  /**
   * As reduceByKey, from `zero` in each partition that has the key: zero must be neutral, and plain data.
   * @throws MillraceError JOB_INVALID when it is not.
   */
  foldByKey<K, V>(
    this: RDD<readonly [K, V]>,
    zero: Widened<V>,
    f: (a: Widened<V>, b: Widened<V>) => Widened<V>,
    partitions?: Partitioning<K>,
  ): RDD<[K, Widened<V>]> {
    const plan = this.plan('foldByKey', f);
    const functions = plan.shipped('foldByKey', f);
    const map = { functions, value: plainZero('foldByKey', zero) };
    return this.#combined(plan, { map, reduce: { functions } }, partitions);
  }

  /**
   * `sequence` folds the values of a key in a partition from `zero`; `combine` merges what partitions made. Both may change and return their
   * first argument. @throws MillraceError JOB_INVALID when zero is not plain data.
   */
  aggregateByKey<K, V, U>(
    this: RDD<readonly [K, V]>,
    zero: U,
    sequence: (acc: U, value: V) => U,
    combine: (a: U, b: U) => U,
    partitions?: Partitioning<K>,
  ): RDD<[K, U]> {
    const plan = this.plan('aggregateByKey', sequence, combine);
    const map = {
      functions: plan.shipped('aggregateByKey', sequence),
      value: plainZero('aggregateByKey', zero),
    };
    const reduce = { functions: plan.shipped('aggregateByKey', combine) };
    return this.#combined(plan, { map, reduce }, partitions);
  }

  /** As aggregateByKey, but `create` makes the combiner of a key's first value in a partition. */
  combineByKey<K, V, C>(
    this: RDD<readonly [K, V]>,
    create: (value: V) => C,
    mergeValue: (combiner: C, value: V) => C,
    mergeCombiners: (a: C, b: C) => C,
    partitions?: Partitioning<K>,
  ): RDD<[K, C]> {
    const plan = this.plan('combineByKey', create, mergeValue, mergeCombiners);
    const map = { functions: plan.shipped('combineByKey', create, mergeValue) };
    const reduce = { functions: plan.shipped('combineByKey', mergeCombiners) };
    return this.#combined(plan, { map, reduce }, partitions);
  }

  /** [key, its values], in partition order. Every row moves, and a key's values must fit in memory: see reduceByKey and aggregateByKey. */
  groupByKey<K, V>(this: RDD<readonly [K, V]>, partitions?: Partitioning<K>): RDD<[K, V[]]> {
    const plan = this.plan('groupByKey');
    const moved = plan.moved(this.node, plan.partitioner(partitions, [this.node]));
    return this.derived(plan.operator(moved, 'group'));
  }

  /**
   * The rows in the order of their keys, over all partitions; equal keys keep their order. Runs a job that samples the keys, hence a promise.
   * Partitions cover ranges of keys, so there are fewer when there are few distinct keys.
   * @throws MillraceError USER_CODE for keys without a natural order.
   */
  async sortByKey<K, V>(this: RDD<readonly [K, V]>, options: SortOptions<K> = {}): Promise<RDD<[K, V]>> {
    checkOptions('sortByKey', options, SORT_OPTIONS);
    const { compare, descending = false } = options;
    const plan = this.plan('sortByKey', ...(compare === undefined ? [] : [compare]));
    const functions = compare === undefined ? [] : plan.shipped('sortByKey', compare);
    const { partitions } = plan.partitioner(options.partitions ?? Math.max(1, this.partitions), []);
    const samples = await this.#keySamples(plan, partitions);
    // Keys without an order are found out here, or by the tasks.
    const bounds = failingAt(plan.place, () =>
      rangeBounds(samples, partitions, compare as (a: unknown, b: unknown) => number),
    );
    const direction = descending ? -1 : 1;
    const partitioner: PartitionerCall = {
      kind: 'range',
      partitions: bounds.length + 1,
      bounds: serialize(bounds),
      direction,
      ...(functions[0] === undefined ? {} : { function: functions[0] }),
    };
    const moved = plan.moved(this.node, partitioner);
    return this.derived(plan.operator(moved, 'sortRows', { functions, numbers: [direction] }));
  }

  /** How many rows each key has. The keys must fit in the driver's memory. */
  async countByKey<K, V>(this: RDD<readonly [K, V]>): Promise<Map<K, number>> {
    return this.keys().countByValue();
  }

  /** The values of a key, in partition order. Reads the key's partition, where it is known which that is, or all. @throws MillraceError USER_CODE for what cannot be a key. */
  async lookup<K, V>(this: RDD<readonly [K, V]>, key: K): Promise<V[]> {
    const plan = this.plan('lookup');
    keyText(key);
    const value = plainValue('the key of lookup()', 'the key', key);
    const partition = partitionOfKey(partitionerOf(this.node), key);
    const found = this.derived<V>(plan.operator(this.node, 'lookupRows', { value }));
    const partitions = partition === undefined ? {} : { partitions: [partition] };
    return (await found.results<V[]>('collect', [], partitions)).flat();
  }

  #combined<K, U>(
    plan: ShufflePlan,
    combine: Parameters<ShufflePlan['combined']>[1],
    partitions: Partitioning<K> | undefined,
  ): RDD<[K, U]> {
    const partitioner = plan.partitioner(partitions, [this.node]);
    return this.derived(plan.combined(this.node, combine, partitioner));
  }

  /** As many as Spark's RangePartitioner takes: 20 for each partition to be, three times that where partitions are uneven. */
  async #keySamples(plan: ShufflePlan, partitions: number): Promise<readonly KeySample[]> {
    if (partitions === 1 || this.partitions === 0) return [];
    const size = Math.ceil((3 * Math.min(SAMPLE_KEYS * partitions, SAMPLE_KEYS_MAX)) / this.partitions);
    const sampled = plan.operator(plan.operator(this.node, 'keys'), 'sampleRows', { numbers: [size, 0] });
    const samples = await this.derived<readonly [number, readonly unknown[]]>(sampled).collect();
    return samples.map(([rows, keys]) => ({ rows, keys }));
  }
}

const SAMPLE_KEYS = 20;
const SAMPLE_KEYS_MAX = 1_000_000;

/** Where rows of this key are. Undefined: only executors can say, or nobody. */
function partitionOfKey(partitioner: PartitionerCall | undefined, key: unknown): number | undefined {
  if (partitioner?.kind === 'hash') return hashPartition(key, partitioner.partitions);
  if (partitioner?.kind !== 'range' || partitioner.function) return undefined;
  try {
    return rangeIndex(partitioner)(key);
  } catch {
    // It has no order among the bounds: rows of other kinds may be there all the same.
    return undefined;
  }
}
