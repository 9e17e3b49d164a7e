/** Messages of task.proto as the engine sees them. Offsets and times are numbers ≤ 2^53−1. */
export interface StageMessage {
  /** Distinct chains; most stages have one, a union has one a parent. */
  readonly pipelines: readonly PipelineMessage[];
  readonly action: ActionMessage;
  /** All ranges of the batch; index = task partition of a direct stream's RDD. */
  readonly ranges: readonly RangeMessage[];
  readonly batchIntervalMs: number;
}

export interface PipelineMessage {
  readonly source: SourceMessage;
  readonly operators: readonly OperatorMessage[];
}

export type SourceMessage =
  | { readonly kind: 'kafka'; readonly kafka: KafkaSourceMessage }
  | { readonly kind: 'rows' }
  /** Rows [key, value] that map tasks left on executors. */
  | { readonly kind: 'shuffle' }
  /** Rows as map tasks left them on executors: the keys of the blocks' rows. */
  | { readonly kind: 'stored' }
  | { readonly kind: 'merge'; readonly merge: MergeSourceMessage };

/** Rows of several chains that one task computes. */
export interface MergeSourceMessage {
  readonly how: 'cogroup' | 'zip' | 'cartesian' | 'concat';
  readonly children: readonly PipelineMessage[];
  readonly place: string;
}

export interface KafkaSourceMessage {
  /** Resolved KafkaOptions, JSON. */
  readonly clientJson: string;
  readonly groupId: string;
  readonly isolation: 'read_committed' | 'read_uncommitted';
  readonly key: CodecMessage;
  readonly value: CodecMessage;
  /** Records that do not decode are left out, and counted by the accumulator of this id. Absent or empty: they fail the task. */
  readonly undecodable?: string;
  /** v8-serialized DeadLetterSettings: where records go that do not decode. Absent or empty: nowhere. */
  readonly deadLetters?: Uint8Array;
  /** Offsets that retention has deleted: as `undecodable`. */
  readonly lost?: string;
}

export interface CodecMessage {
  readonly name: 'utf8' | 'json' | 'bytes' | 'custom';
  /** The decode function of a custom codec. */
  readonly closure?: ClosureMessage | null;
  /** A null key or value is null, not an error. */
  readonly nullable: boolean;
}

export interface ClosureMessage {
  /** Content hash of the snapshot. */
  readonly hash: string;
  /** Absent when larger than 64 KiB: then a blob of the driver's, by hash. */
  readonly snapshot?: Uint8Array;
  /** Where the lambda stands: "job.ts:12:8". */
  readonly place: string;
}

export interface OperatorMessage {
  readonly kind: string;
  readonly closures: readonly ClosureMessage[];
  readonly numbers: readonly number[];
  readonly place: string;
  /** v8-serialized value (zero of foldByKey and aggregateByKey). */
  readonly value?: Uint8Array;
}

export interface ActionMessage {
  readonly kind: string;
  readonly closures: readonly ClosureMessage[];
  readonly numbers: readonly number[];
  /** v8-serialized value: zero of fold and aggregate; where and how a map task writes. */
  readonly value?: Uint8Array;
  readonly place: string;
}

export interface RangeMessage {
  readonly topic: string;
  readonly partition: number;
  /** Inclusive. */
  readonly fromOffset: number;
  /** Exclusive. */
  readonly untilOffset: number;
  /** '' when the broker does not tell. */
  readonly topicId: string;
  readonly leaderEpoch?: number;
}

export interface TaskMessage {
  /** Index of the stage's pipeline. */
  readonly pipeline: number;
  readonly input: TaskInputMessage;
  /** Hashes of broadcasts that the stage's closures use. */
  readonly broadcasts: readonly string[];
}

export type TaskInputMessage =
  | { readonly kind: 'range'; readonly range: RangeMessage }
  /** v8-serialized array. */
  | { readonly kind: 'rows'; readonly rows: Uint8Array }
  /** One bucket of a shuffle: blocks in map partition order; empty ones are left out. */
  | { readonly kind: 'shuffle'; readonly blocks: readonly ShuffleBlockMessage[] }
  /** Of a merge. `children`: which of them reads each input; empty: one each, in order. */
  | {
      readonly kind: 'merge';
      readonly inputs: readonly TaskInputMessage[];
      readonly children?: readonly number[];
    };

export interface ShuffleBlockMessage {
  readonly executorId: string;
  /** host:port of that executor's block service. */
  readonly address: string;
  /** application/epoch/batch/job/stage of the map tasks. */
  readonly directory: string;
  readonly mapPartition: number;
  readonly attempt: number;
  readonly bucket: number;
  readonly bytes: number;
  /** The block itself, when its map task left no file. */
  readonly data?: Uint8Array;
  /** Where it is in the checkpoint store: its executor is gone. */
  readonly section?: CheckpointSection;
}

/** Blocks in a file of the checkpoint store. */
export interface CheckpointSection {
  readonly file: string;
  readonly offset: number;
}

/** What a map task leaves behind: its result. */
export interface MapOutputMessage {
  /** Of a stateful operator: what the task changed, as a section of a state file; absent: nothing. */
  readonly state?: Uint8Array;
  /** Bytes of each bucket. */
  readonly sizes: readonly number[];
  /** All buckets, one after the other, when they are so small that no file was written. */
  readonly inline?: Uint8Array;
  /** Of a checkpoint: its bucket, for the checkpoint store. */
  readonly copy?: Uint8Array;
}
