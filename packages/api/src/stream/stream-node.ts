import type { ResolvedConsumerOptions } from '../kafka/consumer-options.ts';
import type { ConsumerStrategy } from '../kafka/consumer-strategies.ts';
import type { LocationStrategy } from '../kafka/location-strategies.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { OperatorKind, RddNode, SkipCounters } from '../lineage/rdd-node.ts';
import type { StorageLevel } from '../lineage/storage-level.ts';
import type { ExactlyOnceOutput } from '../output/exactly-once.ts';
import type { KafkaTarget } from '../output/kafka-sink.ts';
import type { Guarantee } from '../output/sink.ts';
import type { Partitioning } from '../partitioner.ts';
import type { RDD } from '../rdd.ts';

/** ms since 1970; a multiple of the batch interval. */
export type BatchTime = number;

/** A direct Kafka stream: what the application plans offsets for. */
export interface DirectKafkaInput {
  /** Order of creation: stable over restarts of the same program. */
  readonly inputId: number;
  readonly strategy: ConsumerStrategy<unknown, unknown>;
  readonly options: ResolvedConsumerOptions;
  readonly location: LocationStrategy;
  readonly skips?: SkipCounters;
  readonly place: string;
}

/** An operator of a stream: its lambdas are captured anew for each batch. */
export interface OperatorTemplate {
  readonly kind: OperatorKind;
  readonly functions: readonly Function[];
  readonly numbers: readonly number[];
  readonly place: string;
}

export type StreamNode =
  /** A stream whose options are wrong: it is not planned, and its problems keep the job from starting. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'direct-kafka'; readonly input: DirectKafkaInput }
  | { readonly kind: 'operator'; readonly parent: StreamNode; readonly operator: OperatorTemplate }
  | { readonly kind: 'union'; readonly parents: readonly StreamNode[] }
  | WindowNode
  | InverseWindowNode
  | QueueNode
  | StatefulStreamNode
  /** Of each batch: all rows [key, state] after it. */
  | { readonly kind: 'state-snapshots'; readonly parent: StatefulStreamNode }
  /** Each batch's RDD is kept until no batch can read it any more. */
  | {
      readonly kind: 'persisted';
      readonly parent: StreamNode;
      readonly level: StorageLevel;
      readonly place: string;
    }
  | {
      readonly kind: 'transform';
      readonly parents: readonly StreamNode[];
      /** A driver lambda, or what an operator that moves rows does with the RDDs of a batch. */
      readonly make: (
        rdds: readonly RDD<unknown>[],
        time: BatchTime,
        runner: JobRunner,
      ) => RDD<unknown> | Promise<RDD<unknown>>;
      readonly place: string;
    };

/** The parent's RDDs of all batches of the last `durationMs`, at every multiple of `slideMs`: both are multiples of the parent's slide. */
export interface WindowNode {
  readonly kind: 'window';
  readonly parent: StreamNode;
  readonly durationMs: number;
  readonly slideMs: number;
  /** "countByWindow". */
  readonly name: string;
  readonly place: string;
}

/** updateStateByKey or mapWithState. */
export interface StatefulStreamNode {
  readonly kind: 'stateful';
  readonly parent: StreamNode;
  readonly operator: StatefulOperator;
  /** Somebody reads all rows of the state. */
  readonly snapshots: { wanted: boolean };
  readonly place: string;
}

export interface StatefulOperator {
  /** "mapWithState". */
  readonly operation: string;
  readonly name: string;
  readonly mode: 'update' | 'map';
  /** The function first. Captured anew for each batch. */
  readonly functions: ReadonlyArray<{ readonly role: 'function' | 'migrate'; readonly f: Function }>;
  readonly partitions: Partitioning<never> | undefined;
  readonly initialState: RDD<unknown> | (() => RDD<unknown>) | undefined;
  readonly version: number;
  readonly timeoutMs?: number;
}

/**
 * A reduce over windows by key, from the window before: what left is taken out, what entered is added. Rows [key, value] of the parent are reduced
 * already, batch by batch.
 */
export interface InverseWindowNode extends Omit<WindowNode, 'kind' | 'name'> {
  readonly kind: 'inverse-window';
  /** Its name finds the state. */
  readonly operator: Pick<StatefulOperator, 'operation' | 'name' | 'partitions'>;
  /** Captured anew for each window. */
  readonly reduce: Function;
  readonly inverse: Function;
}

/** RDDs that the job's own code puts in a queue. */
export interface QueueNode {
  readonly kind: 'queue';
  /** What the next batch gets: asked once a batch. */
  readonly next: () => RddNode;
  readonly place: string;
}

/** What makes a batch do something. One job or more a batch, in registration order. */
export interface OutputOperation {
  readonly outputId: number;
  readonly name: string;
  readonly node: StreamNode;
  /** A driver lambda. */
  readonly run: (rdd: RDD<unknown>, time: BatchTime) => void | Promise<void>;
  readonly place: string;
  /** What its sink promises. Absent: it is run at least once, and only the user knows what it does. */
  readonly guarantee?: Guarantee;
  /** Where rows go: 'topic "counts"'. */
  readonly to?: string;
  /** The topic of all its rows: it must exist. */
  readonly target?: KafkaTarget;
  /** Absent: it writes without transactions of ours. */
  readonly exactlyOnce?: ExactlyOnceOutput;
  /** Takes it over for this run, with a job: before any batch is planned or run. From then on nobody of an older run writes. */
  readonly claim?: () => Promise<void>;
  /** With `claim`: what the log knows the output by. */
  readonly loggedAs?: string;
}

/** An output for whoever submits the job: 'output toKafka#1 to topic "counts": at-least-once'. */
export function describeOutput({ name, outputId, guarantee, to }: OutputOperation): string {
  const promise = guarantee ?? 'its function runs at least once';
  return `output ${name}#${outputId}${to === undefined ? '' : ` to ${to}`}: ${promise}`;
}

/** Everything that a job module registered. */
export interface StreamGraph {
  readonly inputs: readonly DirectKafkaInput[];
  readonly outputs: readonly OutputOperation[];
  /** They cannot be recovered. */
  readonly queues: readonly QueueNode[];
  /** Each of them is computed in every batch in which it has an RDD. */
  readonly stateful: readonly StatefulStreamNode[];
  readonly inverseWindows: readonly InverseWindowNode[];
  /** Of all that keeps state from batch to batch: where each name is used. */
  readonly stateNames: ReadonlyMap<string, string>;
  /** ms. */
  readonly batchIntervalMs: number;
  /** For slice(): batches are remembered so long, whether or not a window needs them. */
  readonly rememberMs: number;
}
