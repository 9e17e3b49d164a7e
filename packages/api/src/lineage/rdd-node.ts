import type { IsolationLevel, KafkaOptions, OffsetRange } from '@millrace/kafka';
import type { ShippedCodec } from '../kafka/codec.ts';
import type { LocationStrategy } from '../kafka/location-strategies.ts';
import type { ShippedFunction } from '../shipped-function.ts';

/** Kinds of narrow operators: each has one file in `operators/`. */
export type OperatorKind =
  | 'map'
  | 'flatMap'
  | 'filter'
  | 'mapPartitions'
  | 'mapPartitionsWithIndex'
  | 'mapAsync'
  | 'glom'
  | 'keyBy'
  | 'mapValues'
  | 'flatMapValues'
  | 'sample';

/** An operator with its lambdas captured: what a task runs. */
export interface OperatorCall {
  readonly kind: OperatorKind;
  readonly functions: readonly ShippedFunction[];
  /** Parameters: mapAsync: [concurrency]; sample: [withReplacement 0|1, fraction, seed]. */
  readonly numbers: readonly number[];
  /** Where the user wrote it: "job.ts:12:8". */
  readonly place: string;
}

export type ActionKind =
  | 'collect'
  | 'take'
  | 'count'
  | 'reduce'
  | 'fold'
  | 'aggregate'
  | 'foreach'
  | 'foreachPartition'
  | 'takeOrdered'
  | 'countByValue';

/** What a job computes from each partition. */
export interface ActionCall {
  readonly kind: ActionKind;
  readonly functions: readonly ShippedFunction[];
  /** take, takeOrdered: [n]. */
  readonly numbers: readonly number[];
  /** v8-serialized zero of fold and aggregate. */
  readonly value?: Uint8Array;
  readonly place: string;
}

/** How the partitions of a direct stream or of createRDD are read: data, shipped to executors. */
export interface KafkaSourceInfo {
  /** Distinguishes two streams over the same topic. */
  readonly sourceId: number;
  readonly client: KafkaOptions;
  readonly groupId: string;
  readonly isolation: IsolationLevel;
  readonly key: ShippedCodec;
  readonly value: ShippedCodec;
  readonly location: LocationStrategy;
}

/** Lineage: how a dataset derives from others. Plain data; task partitions are numbered from 0 in the order of their sources. */
export type RddNode =
  | { readonly kind: 'kafka'; readonly source: KafkaSourceInfo; readonly ranges: readonly OffsetRange[] }
  | { readonly kind: 'rows'; readonly partitions: ReadonlyArray<readonly unknown[]> }
  | { readonly kind: 'operator'; readonly parent: RddNode; readonly operator: OperatorCall }
  | { readonly kind: 'union'; readonly parents: readonly RddNode[] };

export function partitionCount(node: RddNode): number {
  switch (node.kind) {
    case 'kafka':
      return node.ranges.length;
    case 'rows':
      return node.partitions.length;
    case 'operator':
      return partitionCount(node.parent);
    case 'union':
      return node.parents.reduce((sum, parent) => sum + partitionCount(parent), 0);
  }
}

/** The offset ranges below a dataset, in the order of its sources. */
export function offsetRangesOf(node: RddNode): readonly OffsetRange[] {
  switch (node.kind) {
    case 'kafka':
      return node.ranges;
    case 'rows':
      return [];
    case 'operator':
      return offsetRangesOf(node.parent);
    case 'union':
      return node.parents.flatMap((parent) => offsetRangesOf(parent));
  }
}
