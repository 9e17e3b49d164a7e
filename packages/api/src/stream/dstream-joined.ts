import type { DStream } from '../dstream.ts';
import type { Partitioning } from '../partitioner.ts';
import type { RDD } from '../rdd.ts';
import { DStreamByKey } from './dstream-by-key.ts';

type Keyed<K, V> = RDD<readonly [K, V]>;

/** Two streams of rows [key, value] that meet by key, batch by batch: what one has in a batch meets what the other has in the same batch. */
export abstract class DStreamJoined<T> extends DStreamByKey<T> {
  /** [key, [values here, values there]] for every key that either has. */
  cogroup<K, V, W>(
    this: DStream<readonly [K, V]>,
    other: DStream<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): DStream<[K, [V[], W[]]]> {
    return this.#with('cogroup', other, partitions, (a: Keyed<K, V>, b: Keyed<K, W>) =>
      a.cogroup(b, partitions),
    );
  }

  /** [key, [a, b]] for each pair of values that have the key here and there. */
  join<K, V, W>(
    this: DStream<readonly [K, V]>,
    other: DStream<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): DStream<[K, [V, W]]> {
    return this.#with('join', other, partitions, (a: Keyed<K, V>, b: Keyed<K, W>) => a.join(b, partitions));
  }

  /** As join; a value here without one there is [key, [a, undefined]]. */
  leftOuterJoin<K, V, W>(
    this: DStream<readonly [K, V]>,
    other: DStream<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): DStream<[K, [V, W | undefined]]> {
    return this.#with('leftOuterJoin', other, partitions, (a: Keyed<K, V>, b: Keyed<K, W>) =>
      a.leftOuterJoin(b, partitions),
    );
  }

  /** As join; a value there without one here is [key, [undefined, b]]. */
  rightOuterJoin<K, V, W>(
    this: DStream<readonly [K, V]>,
    other: DStream<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): DStream<[K, [V | undefined, W]]> {
    return this.#with('rightOuterJoin', other, partitions, (a: Keyed<K, V>, b: Keyed<K, W>) =>
      a.rightOuterJoin(b, partitions),
    );
  }

  /** As join; also values without one on the other side. */
  fullOuterJoin<K, V, W>(
    this: DStream<readonly [K, V]>,
    other: DStream<readonly [K, W]>,
    partitions?: Partitioning<K>,
  ): DStream<[K, [V | undefined, W | undefined]]> {
    return this.#with('fullOuterJoin', other, partitions, (a: Keyed<K, V>, b: Keyed<K, W>) =>
      a.fullOuterJoin(b, partitions),
    );
  }

  /** The rows whose key the other stream's batch has not. */
  subtractByKey<K, V>(
    this: DStream<readonly [K, V]>,
    other: DStream<readonly [K, unknown]>,
    partitions?: Partitioning<K>,
  ): DStream<[K, V]> {
    return this.#with('subtractByKey', other, partitions, (a: Keyed<K, V>, b: Keyed<K, unknown>) =>
      a.subtractByKey(b, partitions),
    );
  }

  #with<K, A, B, U>(
    name: string,
    other: DStream<B>,
    partitions: Partitioning<K> | undefined,
    make: (a: RDD<A>, b: RDD<B>) => RDD<U>,
  ): DStream<U> {
    return this.perBatch({
      name,
      others: [other],
      partitions,
      make: (rdd, [that]) => make(rdd as RDD<unknown> as RDD<A>, that as RDD<unknown> as RDD<B>),
    });
  }
}
