export { type PerExecutorOptions, perExecutor } from '@millrace/closures';
export { type Duration, MillraceError, minutes, ms, seconds } from '@millrace/common';
export { type OffsetRange, offsetRange, offsetSpan, type TopicPartition } from '@millrace/kafka';
export type {
  Accumulator,
  CollectionAccumulator,
  CustomAccumulator,
  MapAccumulator,
  SetAccumulator,
} from './accumulator.ts';
export type { AccumulatorKind } from './accumulator-kind.ts';
export type { Broadcast } from './broadcast.ts';
export { type BuildJob, defineJob, type JobConfig, type JobDefinition } from './define-job.ts';
export { DStream, MapWithStateDStream } from './dstream.ts';
export { duration, env } from './env.ts';
export { bytes, type Codec, json, nullable, utf8 } from './kafka/codec.ts';
export type {
  ConsumerOptions,
  OnDecodeError,
  ReadOptions,
  StartFrom,
  StartOffsets,
} from './kafka/consumer-options.ts';
export {
  type Assignment,
  ConsumerStrategies,
  type ConsumerStrategy,
  type StrategyAdmin,
} from './kafka/consumer-strategies.ts';
export type { DeadLetterOptions } from './kafka/dead-letter-topic.ts';
export { DirectStream } from './kafka/direct-stream.ts';
export { type KafkaNamespace, KafkaUtils } from './kafka/kafka-namespace.ts';
export { type KafkaRecord, type PlainRecord, plainRecord } from './kafka/kafka-record.ts';
export { LocationStrategies, type LocationStrategy } from './kafka/location-strategies.ts';
export type { RangePosition, RangeSpec } from './kafka/range-spec.ts';
export { StorageLevel } from './lineage/storage-level.ts';
export type { FileManifest, ManifestFile } from './output/file-manifest.ts';
export type { FileSinkOptions } from './output/file-sink.ts';
export type {
  Encoder,
  KafkaHeaders,
  KafkaSinkOptions,
  OutputRecord,
  ProducerConfig,
} from './output/kafka-sink.ts';
export type { PostgresSinkOptions } from './output/postgres-sink.ts';
export type { Guarantee, Sink } from './output/sink.ts';
export { HashPartitioner, type Partitioner, type Partitioning } from './partitioner.ts';
export type { SqlClient, SqlPool, SqlResult } from './postgres/sql-client.ts';
export { type UpsertOptions, upsert } from './postgres/upsert.ts';
export type { SortOptions } from './rdd/rdd-shuffled.ts';
export { RDD } from './rdd.ts';
export type { Rows, RowsResult } from './rows.ts';
export type { InitialState, MigrateState, State, StateFunction } from './state/state.ts';
export { StateSpec, type UnnamedStateSpec } from './state/state-spec.ts';
export type { UpdateStateOptions } from './stream/dstream-stateful.ts';
export type { InverseOptions } from './stream/inverse-window.ts';
export type { QueueOptions } from './stream/queue-stream.ts';
export type { BatchTime } from './stream/stream-node.ts';
export { StreamingContext } from './streaming-context.ts';
export { type CompletionListener, type PublicTaskContext, TaskContext } from './task-context.ts';
