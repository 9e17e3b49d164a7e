import { HANDLE } from '@millrace/closures';
import { type Duration, durationMs } from '@millrace/common';
import {
  type Accumulator,
  AccumulatorRegistry,
  type CollectionAccumulator,
  type CustomAccumulator,
  type MapAccumulator,
  type SetAccumulator,
} from './accumulator.ts';
import type { AccumulatorKind } from './accumulator-kind.ts';
import { type Broadcast, createBroadcast } from './broadcast.ts';
import { DStream } from './dstream.ts';
import { KafkaNamespace } from './kafka/kafka-namespace.ts';
import type { JobRunner } from './lineage/job-runner.ts';
import { callerPlace } from './place.ts';
import { parallelRows } from './rdd/parallel-rows.ts';
import { RDD } from './rdd.ts';
import { GraphBuilder } from './stream/graph-builder.ts';
import { type QueueOptions, queueNode } from './stream/queue-stream.ts';

/** What a job module's function is given: streams, shared variables, and through them everything else. */
export class StreamingContext {
  readonly name: string;
  /** ms. */
  readonly batchIntervalMs: number;
  /** createDirectStream and createRDD, also under Spark's name KafkaUtils. */
  readonly kafka: KafkaNamespace;
  readonly #graph: GraphBuilder;
  readonly #accumulators = new AccumulatorRegistry();
  /** How many broadcasts have this content: a table that is broadcast again unchanged outlives the destroyed one. */
  readonly #broadcasts = new Map<string, number>();
  readonly #pendingBroadcasts = new Map<string, Uint8Array>();
  #runner: JobRunner | undefined;
  /** A lambda that captures the context is refused. */
  readonly [HANDLE]: { readonly forbid: string; readonly fix: (name: string) => string } = {
    forbid: 'the StreamingContext exists only on the driver; a lambda that runs on an executor cannot use it',
    fix: (name) =>
      `read what the lambda needs into a const outside of it:  const value = ${name === '' ? 'ssc' : name}.…   and use value inside`,
  };

  /** `place`: where the job is defined. */
  constructor(options: { readonly name: string; readonly batchIntervalMs: number; readonly place?: string }) {
    this.name = options.name;
    this.batchIntervalMs = options.batchIntervalMs;
    this.#graph = new GraphBuilder(options.batchIntervalMs, options.place ?? '');
    this.kafka = new KafkaNamespace(this.#graph, this.#accumulators);
  }

  /**
   * A dataset of the rows of an array, which are plain data; they travel with each task, so keep it small. Neighbours share a partition.
   * May be made while the job is built, and used in foreachRDD or transform.
   * Rows of two are pairs: `[['a', 1], ['b', 2]]` makes an RDD<[string, number]>.
   * @throws MillraceError JOB_INVALID for rows that are not plain data, and unless `partitions` (default 1) is an integer in [1, 100000].
   */
  parallelize<K, V>(rows: ReadonlyArray<readonly [K, V]>, partitions?: number): RDD<[K, V]>;
  parallelize<T>(rows: readonly T[], partitions?: number): RDD<T>;
  parallelize<T>(rows: readonly T[], partitions = 1): RDD<T> {
    return new RDD<T>(parallelRows(rows, partitions), this.#graph.laterRunner);
  }

  /**
   * A stream of the RDDs in `queue`, from its front, one a batch: for tests, and for what comes from elsewhere. What the job pushes there later
   * is seen. It cannot be recovered: a job that has run with one is refused when it starts again (--start-anew begins without its past).
   */
  queueStream<T>(queue: RDD<T>[], options: QueueOptions<T> = {}): DStream<T> {
    const place = callerPlace();
    const node = this.#graph.check(() => this.#graph.addQueue(queueNode(queue, options, place)), place);
    return new DStream<T>(node ?? { kind: 'refused' }, this.#graph);
  }

  /** Batches of the last `duration` stay readable for `slice()`: their records are read again. Windows remember what they need by themselves. */
  remember(duration: Duration): void {
    this.#graph.check(() => this.#graph.remember(durationMs(duration)), callerPlace());
  }

  /** A read-only value for lambdas: sent to each executor once. @throws MillraceError CLOSURE_CAPTURE when it is not plain data. */
  broadcast<T>(value: T): Broadcast<T> {
    return createBroadcast(value, {
      put: (hash, content) => {
        this.#broadcasts.set(hash, (this.#broadcasts.get(hash) ?? 0) + 1);
        if (this.#runner) this.#runner.broadcast(content);
        else this.#pendingBroadcasts.set(hash, content);
      },
      drop: (hash) => {
        const others = (this.#broadcasts.get(hash) ?? 1) - 1;
        if (others > 0) this.#broadcasts.set(hash, others);
        else this.#broadcasts.delete(hash);
        if (others > 0) return;
        this.#pendingBroadcasts.delete(hash);
        this.#runner?.dropBroadcast(hash);
      },
    });
  }

  /** A number that lambdas add to: exactly once per successful task. */
  accumulator(start = 0, name?: string): Accumulator {
    return this.#accumulators.number(name, start);
  }

  /** A list that lambdas add to: exactly once per successful task. */
  collectionAccumulator<T>(name?: string): CollectionAccumulator<T> {
    return this.#accumulators.list<T>(name);
  }

  /** The distinct values that lambdas add: exactly once per successful task. */
  setAccumulator<T>(name?: string): SetAccumulator<T> {
    return this.#accumulators.set<T>(name);
  }

  /** A sum by key that lambdas add to: exactly once per successful task. */
  mapAccumulator<K>(name?: string): MapAccumulator<K> {
    return this.#accumulators.map<K>(name);
  }

  /**
   * An accumulator of your own kind. Its functions ship with the lambdas that add to it; its states must be plain data.
   * @throws MillraceError JOB_INVALID when `kind` lacks zero, add or merge.
   */
  customAccumulator<Item, State>(
    kind: AccumulatorKind<Item, State>,
    name?: string,
  ): CustomAccumulator<Item, State> {
    return this.#accumulators.custom(kind, name);
  }

  /** For the engine. */
  get internals(): ContextInternals {
    return {
      graph: this.#graph,
      accumulators: this.#accumulators,
      attach: (runner) => {
        this.#runner = runner;
        this.#graph.runner = runner;
        for (const content of this.#pendingBroadcasts.values()) runner.broadcast(content);
        this.#pendingBroadcasts.clear();
      },
    };
  }
}

/** What the engine needs of a context; not for jobs. */
export interface ContextInternals {
  readonly graph: GraphBuilder;
  readonly accumulators: AccumulatorRegistry;
  /** The application runs from now on. */
  attach(runner: JobRunner): void;
}
