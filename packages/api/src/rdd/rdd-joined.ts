import { JOIN_MODES, type JoinMode } from '../operators/cogrouped.ts';
import type { Partitioning } from '../partitioner.ts';
import type { RDD } from '../rdd.ts';
import { RddByKey } from './rdd-by-key.ts';

/**
 * Two or more datasets of rows [key, value] that meet by key. Rows of a dataset that is partitioned as wanted stay where they are; those of the
 * others move. The values of one key must fit in memory. `partitions`: see RddByKey.
 */
export abstract class RddJoined<T> extends RddByKey<T> {
  /** [key, [values here, values of the next, …]] for every key that any has, keys in order of first appearance. */
  cogroup<K, V, A>(
    this: RDD<readonly [K, V]>,
    other: RDD<readonly [K, A]>,
    partitions?: Partitioning<K>,
  ): RDD<[K, [V[], A[]]]>;
  cogroup<K, V, A, B>(
    this: RDD<readonly [K, V]>,
    a: RDD<readonly [K, A]>,
    b: RDD<readonly [K, B]>,
    partitions?: Partitioning<K>,
  ): RDD<[K, [V[], A[], B[]]]>;
  cogroup<K, V, A, B, C>(
    this: RDD<readonly [K, V]>,
    a: RDD<readonly [K, A]>,
    b: RDD<readonly [K, B]>,
    c: RDD<readonly [K, C]>,
    partitions?: Partitioning<K>,
  ): RDD<[K, [V[], A[], B[], C[]]]>;
  cogroup<K>(
    this: RDD<readonly [K, unknown]>,
    ...rest: readonly (RDD<readonly [K, unknown]> | Partitioning<K> | undefined)[]
  ): RDD<[K, never]> {
    const plan = this.plan('cogroup');
    const others = rest.filter((item) => item instanceof RddJoined);
    const partitions = rest.find((item): item is Partitioning<K> => !(item instanceof RddJoined));
    const nodes = [this.node, ...others.map(({ node }) => node)];
    return this.derived(plan.cogrouped(nodes, partitions));
  }

  /** [key, [a, b]] for each pair of values that have the key here and there. */
  join<K, V, W>(
    this: RDD<readonly [K, V]>,
    other: RDD<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): RDD<[K, [V, W]]> {
    return this.#joined('inner', 'join', other, partitions);
  }

  /** As join; a value here without one there is [key, [a, undefined]]. */
  leftOuterJoin<K, V, W>(
    this: RDD<readonly [K, V]>,
    other: RDD<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): RDD<[K, [V, W | undefined]]> {
    return this.#joined('left', 'leftOuterJoin', other, partitions);
  }

  /** As join; a value there without one here is [key, [undefined, b]]. */
  rightOuterJoin<K, V, W>(
    this: RDD<readonly [K, V]>,
    other: RDD<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): RDD<[K, [V | undefined, W]]> {
    return this.#joined('right', 'rightOuterJoin', other, partitions);
  }

  /** As join; a value without one on the other side is [key, [a, undefined]] or [key, [undefined, b]]. */
  fullOuterJoin<K, V, W>(
    this: RDD<readonly [K, V]>,
    other: RDD<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): RDD<[K, [V | undefined, W | undefined]]> {
    return this.#joined('full', 'fullOuterJoin', other, partitions);
  }

  /** The rows whose key `other` has not. Of the other side one row a key and partition moves. */
  subtractByKey<K, V>(
    this: RDD<readonly [K, V]>,
    other: RDD<readonly [K, unknown]>,
    partitions?: Partitioning<K>,
  ): RDD<[K, V]> {
    const plan = this.plan('subtractByKey');
    const both = plan.cogrouped([this.node, plan.operator(other.node, 'combine')], partitions);
    return this.derived(plan.operator(both, 'subtractRows'));
  }

  #joined<K, U>(
    mode: JoinMode,
    operation: string,
    other: RDD<readonly [K, unknown]>,
    partitions: Partitioning<K> | undefined,
  ): RDD<[K, U]> {
    const plan = this.plan(operation);
    const both = plan.cogrouped([this.node, other.node], partitions);
    return this.derived(plan.operator(both, 'joinRows', { numbers: [JOIN_MODES[mode]] }));
  }
}
