import type { ResolvedConsumerOptions } from '../kafka/consumer-options.ts';
import type { ConsumerStrategy } from '../kafka/consumer-strategies.ts';
import type { LocationStrategy } from '../kafka/location-strategies.ts';
import type { JobRunner } from '../lineage/job-runner.ts';
import type { OperatorKind } from '../lineage/rdd-node.ts';
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

/** What makes a batch do something. One job or more a batch, in registration order. */
export interface OutputOperation {
  readonly outputId: number;
  readonly name: string;
  readonly node: StreamNode;
  /** A driver lambda. */
  readonly run: (rdd: RDD<unknown>, time: BatchTime) => void | Promise<void>;
  readonly place: string;
}

/** Everything that a job module registered. */
export interface StreamGraph {
  readonly inputs: readonly DirectKafkaInput[];
  readonly outputs: readonly OutputOperation[];
}
