import type { IsolationLevel, KafkaOptions, OffsetRange } from '@millrace/kafka';
import type { ShippedCodec } from '../kafka/codec.ts';
import type { LocationStrategy } from '../kafka/location-strategies.ts';
import type { ShippedFunction } from '../shipped-function.ts';
import type { PartitionerCall } from './partitioner-call.ts';

/** Kinds of narrow operators: files of `operators/` by concept. */
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
  | 'sample'
  // by key
  | 'combine'
  | 'mergeCombiners'
  | 'group'
  | 'sortRows'
  | 'lookupRows'
  | 'keys'
  | 'values'
  | 'toPair'
  | 'withoutKey'
  | 'withIndex'
  | 'sampleRows'
  | 'countRows'
  // of what a cogroup makes
  | 'joinRows'
  | 'subtractRows'
  | 'intersectRows';

/** An operator with its lambdas captured: what a task runs. */
export interface OperatorCall {
  readonly kind: OperatorKind;
  readonly functions: readonly ShippedFunction[];
  /**
   * Parameters. mapAsync: [concurrency]; sample: [withReplacement 0|1, fraction, seed]; combine, mergeCombiners: [] or [1] (count);
   * sortRows: [1 | -1]; joinRows: [mode]; mapPartitionsWithIndex: [base] (see `rebased`); withIndex: [base, first index of each partition …]; sampleRows: [rows, seed].
   */
  readonly numbers: readonly number[];
  /** v8-serialized value: zero of combine, key of lookupRows. */
  readonly value?: Uint8Array;
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
  | 'countByValue'
  /**
   * What a map task does: rows [key, value] of its partition to the buckets of a shuffle. value: v8-serialized { directory, partitioner },
   * functions: the partitioner's, if any. Made by the driver, never by an RDD. The result is an encoded MapOutput.
   */
  | 'shuffleWrite';

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
  | { readonly kind: 'union'; readonly parents: readonly RddNode[] }
  | ShuffleNode
  | MergeNode;

/** Rows [key, value] of the parent, moved so that equal keys are in one partition; there in map-partition order, and in the order of each map task. */
export interface ShuffleNode {
  readonly kind: 'shuffle';
  readonly parent: RddNode;
  readonly partitioner: PartitionerCall;
  readonly place: string;
}

/**
 * How partitions that belong together become one.
 * cogroup: all parents have n partitions and are partitioned alike; rows [key, [values of parent 0, values of parent 1, …]], keys in order of
 * first appearance, those of parent 0 first. zip: n partitions each; rows [a, b]; a task whose parents differ in rows fails with USER_CODE.
 * cartesian, of two: partition a * nb + b; rows [a, b], b the faster.
 */
export type MergeKind = 'cogroup' | 'zip' | 'cartesian';

export interface MergeNode {
  readonly kind: 'merge';
  readonly how: MergeKind;
  readonly parents: readonly RddNode[];
  readonly place: string;
}

/** The dataset below any operators: they neither add nor remove partitions. A lineage may be deep. */
function belowOperators(node: RddNode): Exclude<RddNode, { kind: 'operator' }> {
  let below = node;
  while (below.kind === 'operator') below = below.parent;
  return below;
}

export function partitionCount(dataset: RddNode): number {
  const node = belowOperators(dataset);
  switch (node.kind) {
    case 'kafka':
      return node.ranges.length;
    case 'rows':
      return node.partitions.length;
    case 'union':
      return node.parents.reduce((sum, parent) => sum + partitionCount(parent), 0);
    case 'shuffle':
      return node.partitioner.partitions;
    case 'merge':
      return node.how === 'cartesian'
        ? node.parents.reduce((product, parent) => product * partitionCount(parent), 1)
        : partitionCount(node.parents[0] as RddNode);
  }
}

/** The offset ranges below a dataset, in the order of its sources: one a partition of a source, and below a shuffle or merge each source once. */
export function offsetRangesOf(dataset: RddNode): readonly OffsetRange[] {
  const node = belowOperators(dataset);
  switch (node.kind) {
    case 'kafka':
      return node.ranges;
    case 'rows':
      return [];
    case 'union':
      return node.parents.flatMap((parent) => offsetRangesOf(parent));
    case 'shuffle':
    case 'merge':
      return rangesOnce(node);
  }
}

function rangesOnce(top: RddNode): readonly OffsetRange[] {
  const ranges: OffsetRange[] = [];
  const seen = new Set<RddNode>();
  const open = [top];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.kind === 'kafka') for (const range of node.ranges) ranges.push(range);
    else if ('parents' in node) open.push(...node.parents.toReversed());
    else if ('parent' in node) open.push(node.parent);
  }
  return ranges;
}
