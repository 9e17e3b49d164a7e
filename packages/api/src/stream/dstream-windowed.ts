import type { Duration } from '@millrace/common';
import type { DStream } from '../dstream.ts';
import { givenLevel, StorageLevel } from '../lineage/storage-level.ts';
import type { Partitioning } from '../partitioner.ts';
import { callerPlace } from '../place.ts';
import { COUNT_PLAN } from '../rdd/shuffle-plan.ts';
import { countedPair, countedValues, NO_ROWS, reducedPair } from '../rdd/whole-dataset.ts';
import type { Widened } from '../rdd/widened.ts';
import type { RDD } from '../rdd.ts';
import { DStreamJoined } from './dstream-joined.ts';
import { checkInverse, type InverseOptions } from './inverse-window.ts';
import type { BatchTime, WindowNode } from './stream-node.ts';
import { windowMs } from './window-durations.ts';
import { mergedByKey, movedByKey } from './window-rdd.ts';

/**
 * Operators over several batches. Durations: ms, or '30s'. The window is how far back they reach, the slide how often they give an RDD (default: as
 * often as this stream has one); both are multiples of this stream's slide, which is the batch interval unless it is a window itself. A slide that
 * is longer than the window leaves batches out. Where rows are reduced, each batch is reduced once, whatever the number of windows that it is in.
 */
export abstract class DStreamWindowed<T> extends DStreamJoined<T> {
  /** The rows of all batches of the last `windowDuration`. */
  window(windowDuration: Duration, slideDuration?: Duration): DStream<T> {
    return this.#window('window', windowDuration, slideDuration);
  }

  /** How many rows each window has: one row, also when there is none. */
  countByWindow(windowDuration: Duration, slideDuration?: Duration): DStream<number> {
    const name = 'countByWindow';
    return this.planned<[undefined, number]>({ name }, countedPair)
      .#window(name, windowDuration, slideDuration)
      .planned({ name }, (plan, node) => {
        const counts = node.kind === 'rows' ? NO_ROWS : node;
        return plan.operator(mergedByKey(plan, counts, 1, COUNT_PLAN.reduce), 'values');
      });
  }

  /** f over all rows of each window: one row, or none of an empty window. f must be associative. */
  reduceByWindow(f: (a: T, b: T) => T, windowDuration: Duration, slideDuration?: Duration): DStream<T>;
  /** The same, from the window before: `inverse(f(a, b), b)` is a. See reduceByKeyAndWindow. */
  reduceByWindow(
    f: (a: T, b: T) => T,
    inverse: (a: T, b: T) => T,
    windowDuration: Duration,
    slideDuration: Duration | undefined,
    options: Pick<InverseOptions<unknown, T>, 'name'>,
  ): DStream<T>;
  reduceByWindow(f: (a: T, b: T) => T, ...rest: readonly unknown[]): DStream<T> {
    const name = 'reduceByWindow';
    const { inverse, windowDuration, slideDuration, options } = windowArguments<undefined>(rest);
    const partitions = 1;
    const perBatch = this.planned<[undefined, T]>({ name, functions: [f] }, (plan, node) =>
      reducedPair(plan, node, f),
    );
    if (inverse) {
      const given = { ...(options as InverseOptions<never, never>), partitions };
      return perBatch
        .#fromBefore(name, windowDuration, slideDuration, { reduce: f, inverse }, given)
        .values();
    }
    const window = perBatch.#window(name, windowDuration, slideDuration);
    return window.planned({ name }, (plan, node) => {
      const functions = plan.shipped(name, f);
      return plan.operator(mergedByKey(plan, node, partitions, { functions }), 'values');
    });
  }

  /** [row, how often it occurs in the window]. Rows that are equal as keys are one. */
  countByValueAndWindow(
    windowDuration: Duration,
    slideDuration?: Duration,
    partitions?: Partitioning<T>,
  ): DStream<[T, number]> {
    const name = 'countByValueAndWindow';
    return this.planned<[T, number]>({ name, partitions }, (plan, node) =>
      countedValues(plan, node, partitions),
    )
      .#window(name, windowDuration, slideDuration)
      .planned({ name }, (plan, node) => mergedByKey(plan, node, partitions, COUNT_PLAN.reduce));
  }

  /** [key, f over its values in the window]. f must be associative. */
  reduceByKeyAndWindow<K, V>(
    this: DStream<readonly [K, V]>,
    f: (a: Widened<V>, b: Widened<V>) => Widened<V>,
    windowDuration: Duration,
    slideDuration?: Duration,
    partitions?: Partitioning<K>,
  ): DStream<[K, Widened<V>]>;
  /**
   * The same, from the window before: what leaves is taken out of it by `inverse` (`inverse(f(a, b), b)` is a), and what enters is added. Worth it
   * for windows of many slides. It is state: `options.name` is required. Keys whose rows have all left are gone, and so are those that
   * `options.filter` refuses.
   */
  reduceByKeyAndWindow<K, V>(
    this: DStream<readonly [K, V]>,
    f: (a: Widened<V>, b: Widened<V>) => Widened<V>,
    inverse: (a: Widened<V>, b: Widened<V>) => Widened<V>,
    windowDuration: Duration,
    slideDuration: Duration | undefined,
    options: InverseOptions<K, Widened<V>>,
  ): DStream<[K, Widened<V>]>;
  reduceByKeyAndWindow<K, V>(
    this: DStream<readonly [K, V]>,
    f: (a: Widened<V>, b: Widened<V>) => Widened<V>,
    ...rest: readonly unknown[]
  ): DStream<[K, Widened<V>]> {
    const name = 'reduceByKeyAndWindow';
    const { inverse, windowDuration, slideDuration, partitions, options } = windowArguments<K>(rest);
    const perBatch = this.planned<[K, Widened<V>]>({ name, functions: [f], partitions }, (plan, node) => {
      const functions = plan.shipped(name, f);
      const combine = { map: { functions }, reduce: { functions } };
      return plan.combined(node, combine, plan.partitioner(partitions, [node]));
    });
    if (inverse) {
      const reduced = perBatch.#fromBefore(
        name,
        windowDuration,
        slideDuration,
        { reduce: f, inverse },
        options,
      );
      const filter = options?.filter as ((row: readonly [K, Widened<V>]) => boolean) | undefined;
      // Not of the state: a key that is refused now may be wanted when some of its rows have left.
      return typeof filter === 'function' ? reduced.filter(filter) : reduced;
    }
    return perBatch
      .#window(name, windowDuration, slideDuration)
      .planned({ name }, (plan, node) =>
        mergedByKey(plan, node, partitions, { functions: plan.shipped(name, f) }),
      );
  }

  /** [key, its values in the window]; those of a batch together, oldest first. */
  groupByKeyAndWindow<K, V>(
    this: DStream<readonly [K, V]>,
    windowDuration: Duration,
    slideDuration?: Duration,
    partitions?: Partitioning<K>,
  ): DStream<[K, V[]]> {
    const name = 'groupByKeyAndWindow';
    return this.planned<[K, V]>({ name, partitions }, (plan, node) => movedByKey(plan, node, partitions))
      .#window(name, windowDuration, slideDuration)
      .planned({ name }, (plan, node) => plan.operator(movedByKey(plan, node, partitions), 'group'));
  }

  /** Each batch's RDD is kept until no batch can read it any more. Windows keep what they read again by themselves. */
  persist(...given: readonly [level?: StorageLevel]): DStream<T> {
    const place = callerPlace();
    const level = this.graph.check(() => givenLevel(given), place) ?? StorageLevel.MEMORY_AND_DISK;
    return this.derived({ kind: 'persisted', parent: this.node, level, place });
  }

  /** As persist(). */
  cache(): DStream<T> {
    return this.persist();
  }

  /**
   * The RDDs of the batches with times in [from, to], oldest first: for foreachRDD and transform. `ssc.remember` says how far back they may lie.
   * @throws MillraceError BAD_REQUEST when some have been forgotten.
   */
  async slice(from: BatchTime, to: BatchTime): Promise<readonly RDD<T>[]> {
    return (await this.graph.rdds.slice(this.node, from, to)) as readonly RDD<T>[];
  }

  #window(name: string, windowDuration: Duration, slideDuration: Duration | undefined): DStream<T> {
    return this.derived({ kind: 'window', ...this.#times(name, windowDuration, slideDuration), name });
  }

  /** Of rows [key, value] that are reduced batch by batch. */
  #fromBefore(
    operation: string,
    windowDuration: Duration,
    slideDuration: Duration | undefined,
    functions: { readonly reduce: Function; readonly inverse: Function },
    options: InverseOptions<never, never> | undefined,
  ): DStream<T> {
    const times = this.#times(operation, windowDuration, slideDuration);
    const { place } = times;
    this.graph.check(() => checkInverse(operation, functions.inverse, options), place);
    this.graph.addLambdas(operation, [functions.inverse], place);
    const operator = { operation, name: options?.name ?? '', partitions: options?.partitions };
    return this.derived(
      this.graph.addInverseWindow({ kind: 'inverse-window', ...times, operator, ...functions }),
    );
  }

  #times(
    name: string,
    windowDuration: Duration,
    slideDuration: Duration | undefined,
  ): Omit<WindowNode, 'kind' | 'name'> {
    const place = callerPlace();
    const parentMs = this.graph.slideOf(this.node);
    // Where a duration is wrong, the parent's stands for it: the problem keeps the job from starting.
    const checked = (what: string, duration: Duration): number =>
      this.graph.check(() => windowMs(name, what, duration, parentMs), place) ?? parentMs;
    const durationMs = checked('a window', windowDuration);
    const slideMs = slideDuration === undefined ? parentMs : checked('a slide', slideDuration);
    return { parent: this.node, durationMs, slideMs, place };
  }
}

interface WindowArguments<K> {
  readonly inverse: Function | undefined;
  readonly windowDuration: Duration;
  readonly slideDuration: Duration | undefined;
  readonly partitions: Partitioning<K> | undefined;
  readonly options: InverseOptions<never, never> | undefined;
}

/** With an inverse function or without: two shapes of one operator, as Spark has them. */
function windowArguments<K>(given: readonly unknown[]): WindowArguments<K> {
  const inverse = typeof given[0] === 'function' ? given[0] : undefined;
  const [windowDuration, slideDuration, last] = inverse ? given.slice(1) : given;
  const options = inverse ? (last as InverseOptions<never, never> | undefined) : undefined;
  return {
    inverse,
    windowDuration: windowDuration as Duration,
    slideDuration: slideDuration as Duration | undefined,
    partitions: (inverse ? options?.partitions : last) as Partitioning<K> | undefined,
    options,
  };
}
