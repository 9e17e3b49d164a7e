import { MillraceError } from '@millrace/common';
import { checkElementFunction } from '../element-function.ts';
import { COALESCE_OPTIONS, checkOptions, SORT_OPTIONS } from '../operator-options.ts';
import type { Partitioning } from '../partitioner.ts';
import { calledAt, callerPlace, placeOf } from '../place.ts';
import type { RDD } from '../rdd.ts';
import { RddNarrow } from './rdd-narrow.ts';
import { FIRST_PLAN } from './shuffle-plan.ts';

/** Order and partitions of sortBy and sortByKey. */
export interface SortOptions<K> {
  /** Greatest first. */
  readonly descending?: boolean;
  /** At most so many; default: as many as the parent has. */
  readonly partitions?: number;
  /** Below 0 when a comes before b; default: the natural order of numbers, bigints, booleans, strings and Dates. */
  readonly compare?: (a: K, b: K) => number;
}

/** Transformations that need no keys: rows move, or partitions of two datasets meet. Rows are equal as keys are. */
export abstract class RddShuffled<T> extends RddNarrow<T> {
  /** The same rows in `partitions` partitions of about one size. All rows move; the same rows go the same way in every run. */
  repartition(partitions: number): RDD<T> {
    const plan = this.plan('repartition');
    const { partitions: checked } = plan.partitioner(partitions, []);
    const moved = plan.moved(plan.operator(this.node, 'withoutKey'), {
      kind: 'roundRobin',
      partitions: checked,
    });
    return this.derived(plan.operator(moved, 'values'));
  }

  /**
   * At most `partitions` partitions, each made of neighbours, in order. Nothing moves: one task computes what several did, and a dataset that has
   * no more is left as it is. With `shuffle` all rows move, evenly, as `repartition` moves them: what comes before keeps its tasks.
   */
  coalesce(partitions: number, options: { readonly shuffle?: boolean } = {}): RDD<T> {
    checkOptions('coalesce', options, COALESCE_OPTIONS);
    if (options.shuffle === true) return this.repartition(partitions);
    const plan = this.plan('coalesce');
    const { partitions: most } = plan.partitioner(partitions, []);
    const { node, partitions: count } = this;
    if (most >= count) return this.derived(node);
    const start = (group: number): number => Math.floor((group * count) / most);
    const groups = Array.from({ length: most }, (_, group) =>
      Array.from({ length: start(group + 1) - start(group) }, (_unused, at) => start(group) + at),
    );
    return this.derived({ kind: 'coalesced', parent: node, groups, place: plan.place });
  }

  /** Each distinct row once: the first of those that are equal. Duplicates of a partition do not move. */
  distinct(partitions?: Partitioning<T>): RDD<T> {
    const plan = this.plan('distinct');
    const pairs = plan.operator(this.node, 'toPair');
    const combined = plan.combined(pairs, FIRST_PLAN, plan.partitioner(partitions, [pairs]));
    return this.derived(plan.operator(combined, 'keys'));
  }

  /** [f(row), all rows of that key]. Every row moves, and a key's rows must fit in memory: reduceByKey and aggregateByKey move less. */
  groupBy<K>(f: (row: T) => K, partitions?: Partitioning<K>): RDD<[K, T[]]> {
    checkElementFunction('groupBy', f);
    return calledAt(placeOf(f), () => this.keyBy(f).groupByKey(partitions));
  }

  /**
   * The rows in the order of f(row), over all partitions: rows of partition 0 come before those of partition 1. Equal ones keep their order.
   * Runs a job that samples the keys, hence a promise; then every row moves.
   * @throws MillraceError USER_CODE for keys without a natural order.
   */
  async sortBy<K>(f: (row: T) => K, options: SortOptions<K> = {}): Promise<RDD<T>> {
    checkElementFunction('sortBy', f);
    checkOptions('sortBy', options, SORT_OPTIONS);
    const sorted = await calledAt(placeOf(f), () => this.keyBy(f).sortByKey(options));
    return sorted.values();
  }

  /** The rows that `other` has not; duplicates stay. All rows here move, and the distinct ones of `other`. */
  subtract(other: RDD<T>, partitions?: Partitioning<T>): RDD<T> {
    const plan = this.plan('subtract');
    // Of the other side it matters only whether there is one.
    const right = plan.operator(plan.operator(other.node, 'toPair'), 'combine');
    const both = plan.cogrouped([plan.operator(this.node, 'toPair'), right], partitions);
    return this.derived(plan.operator(plan.operator(both, 'subtractRows'), 'keys'));
  }

  /** The distinct rows that both have. The distinct rows of each partition move. */
  intersection(other: RDD<T>, partitions?: Partitioning<T>): RDD<T> {
    const plan = this.plan('intersection');
    const sides = [this.node, other.node].map((node) =>
      plan.operator(plan.operator(node, 'toPair'), 'combine'),
    );
    return this.derived(plan.operator(plan.cogrouped(sides, partitions), 'intersectRows'));
  }

  /** Each row with each row of `other`: partitions and rows multiply, and each partition is computed once for each of the other's. */
  cartesian<U>(other: RDD<U>): RDD<[T, U]> {
    return this.derived(this.plan('cartesian').merged('cartesian', [this.node, other.node]));
  }

  /**
   * The first row with the other's first row, and so on, partition by partition. Nothing moves. Partitions with unequal counts of rows fail
   * with USER_CODE. @throws MillraceError JOB_INVALID when the numbers of partitions differ.
   */
  zip<U>(other: RDD<U>): RDD<[T, U]> {
    if (this.partitions !== other.partitions) {
      throw new MillraceError(
        'JOB_INVALID',
        `zip() needs datasets of as many partitions: this one has ${this.partitions}, the other ${other.partitions}`,
        {
          remedy: 'Zip what derives from one dataset by map(), or join by a key.',
          details: { place: callerPlace() },
        },
      );
    }
    return this.derived(this.plan('zip').merged('zip', [this.node, other.node]));
  }

  /** [row, its index] in partition order. Runs a job that counts the rows of all partitions but the last, hence a promise. */
  async zipWithIndex(): Promise<RDD<[T, number]>> {
    const plan = this.plan('zipWithIndex');
    const partitions = Array.from({ length: Math.max(0, this.partitions - 1) }, (_, index) => index);
    const counts = partitions.length > 0 ? await this.results<number>('count', [], { partitions }) : [];
    const firsts = [0];
    for (const count of counts) firsts.push((firsts.at(-1) ?? 0) + count);
    return this.derived(plan.operator(this.node, 'withIndex', { numbers: [0, ...firsts] }));
  }
}
