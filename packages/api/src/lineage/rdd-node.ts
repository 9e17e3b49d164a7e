import type { IsolationLevel, KafkaOptions, OffsetRange } from '@millrace/kafka';
import type { ShippedCodec } from '../kafka/codec.ts';
import type { DeadLetterTopic } from '../kafka/dead-letter-topic.ts';
import type { LocationStrategy } from '../kafka/location-strategies.ts';
import type { ShippedFunction } from '../shipped-function.ts';
import type { PartitionerCall } from './partitioner-call.ts';
import type { StatefulNode, StateSnapshotsNode } from './stateful-node.ts';
import type { StorageLevel } from './storage-level.ts';

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
   * Parameters. mapAsync: [concurrency]; sample: [withReplacement 0|1, fraction, seed (see `sampleSeed`), base]; combine, mergeCombiners: [] or [1] (count);
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
  /** Sinks: see output/. value: v8-serialized settings; kafkaWrite numbers: of each of its parts 1 + the index of its function, or 0. */
  | 'kafkaWrite'
  | 'fileWrite'
  /** What is done for all files of an output, before or after; its dataset has one partition without rows. */
  | 'fileStep'
  | 'postgresWrite'
  | 'postgresClaim'
  /**
   * What a map task does: rows [key, value] of its partition to the buckets of a shuffle. value: v8-serialized { directory, partitioner },
   * functions: the partitioner's, if any. Made by the driver, never by an RDD. The result is an encoded MapOutput.
   */
  | 'shuffleWrite'
  /** What a map task of a persisted dataset does: the rows of its partition to bucket 0. value: v8-serialized { directory }. As shuffleWrite otherwise. */
  | 'storeWrite'
  /** What a map task of a stateful operator does. value: v8-serialized StateWriteCall, functions: those that it names. As shuffleWrite otherwise. */
  | 'stateWrite';

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

/** Ids of the accumulators that count what is left out instead of failing a task. */
export interface SkipCounters {
  /** Records that do not decode. */
  readonly undecodable?: string;
  /** Where these go. Absent: nowhere. */
  readonly deadLetters?: DeadLetterTopic;
  /** Offsets that retention has deleted. */
  readonly lost?: string;
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
  readonly skips?: SkipCounters;
}

/** Lineage: how a dataset derives from others. Plain data; task partitions are numbered from 0 in the order of their sources. */
export type RddNode =
  | { readonly kind: 'kafka'; readonly source: KafkaSourceInfo; readonly ranges: readonly OffsetRange[] }
  | { readonly kind: 'rows'; readonly partitions: ReadonlyArray<readonly unknown[]> }
  | { readonly kind: 'operator'; readonly parent: RddNode; readonly operator: OperatorCall }
  | { readonly kind: 'union'; readonly parents: readonly RddNode[] }
  | CoalescedNode
  | StoredNode
  | StateSnapshotsNode
  | MergeNode
  | CutNode;

/** A dataset that a map stage computes: its tasks leave it as files on their executors, in buckets. */
export type StoredNode = ShuffleNode | PersistedNode | StatefulNode;

/** Rows [key, value] of the parent, moved so that equal keys are in one partition; there in map-partition order, and in the order of each map task. */
export interface ShuffleNode {
  readonly kind: 'shuffle';
  readonly parent: RddNode;
  readonly partitioner: PartitionerCall;
  readonly place: string;
}

/** The parent's rows as they are, kept until the runner is told to release them: whoever needs them again reads them there. Any rows. */
export interface PersistedNode {
  readonly kind: 'persisted';
  /** Of a checkpoint: a CutNode from the moment at which all of it is durable (`cutLineage`). */
  readonly parent: RddNode;
  readonly level: StorageLevel;
  /** Also in the checkpoint store: what is lost with executors is read there instead of being computed again. */
  readonly checkpoint?: true;
  readonly place: string;
}

/** What was below a checkpoint: nothing of it is needed any more. */
export interface CutNode {
  readonly kind: 'cut';
  readonly partitions: number;
  /** As it was. */
  readonly partitioner: PartitionerCall | undefined;
  /** Where the rows are. */
  readonly file: string;
}

/** Partition i: the rows of these partitions of the parent, one after the other. Nothing moves. */
export interface CoalescedNode {
  readonly kind: 'coalesced';
  readonly parent: RddNode;
  readonly groups: ReadonlyArray<readonly number[]>;
  readonly place: string;
}

/**
 * How partitions that belong together become one.
 * cogroup: all parents have n partitions and are partitioned alike; rows [key, [values of parent 0, values of parent 1, …]], keys in order of
 * first appearance, those of parent 0 first. zip: n partitions each; rows [a, b]; a task whose parents differ in rows fails with USER_CODE.
 * cartesian, of two: partition a * nb + b; rows [a, b], b the faster. concat: n partitions each; the rows of parent 0, then those of parent 1 …
 */
export type MergeKind = 'cogroup' | 'zip' | 'cartesian' | 'concat';

export interface MergeNode {
  readonly kind: 'merge';
  readonly how: MergeKind;
  readonly parents: readonly RddNode[];
  readonly place: string;
}

/** Buckets that each map task of a stored dataset fills. */
export function bucketCount(stored: StoredNode): number {
  if (stored.kind === 'stateful') return 2;
  return stored.kind === 'shuffle' ? stored.partitioner.partitions : 1;
}

export function isCheckpoint(node: RddNode): boolean {
  return node.kind === 'persisted' && node.checkpoint === true;
}

/** The dataset below any operators: neither they nor persisting add or remove partitions. A lineage may be deep. */
function belowOperators(node: RddNode): Exclude<RddNode, { kind: 'operator' | 'persisted' }> {
  let below = node;
  while (below.kind === 'operator' || below.kind === 'persisted') below = below.parent;
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
    case 'coalesced':
      return node.groups.length;
    case 'cut':
      return node.partitions;
    case 'stateful':
      return node.call.partitioner.partitions;
    case 'stateSnapshots':
      return node.of.call.partitioner.partitions;
    case 'merge':
      return node.how === 'cartesian'
        ? node.parents.reduce((product, parent) => product * partitionCount(parent), 1)
        : partitionCount(node.parents[0] as RddNode);
  }
}

/**
 * The offset ranges below a dataset, in the order of its sources: one a partition of a source, and below a shuffle or merge each source once. A
 * checkpoint is a source without any, whether or not its lineage is cut by now.
 */
export function offsetRangesOf(dataset: RddNode): readonly OffsetRange[] {
  for (let above = dataset; above.kind === 'operator' || above.kind === 'persisted'; above = above.parent)
    if (isCheckpoint(above)) return [];
  const node = belowOperators(dataset);
  switch (node.kind) {
    case 'kafka':
      return node.ranges;
    case 'rows':
    case 'cut':
      return [];
    case 'union':
      return node.parents.flatMap((parent) => offsetRangesOf(parent));
    case 'shuffle':
    case 'coalesced':
    case 'stateful':
    case 'stateSnapshots':
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
    else if ('parent' in node && !isCheckpoint(node)) open.push(node.parent);
    else if ('of' in node) open.push(node.of);
  }
  return ranges;
}
