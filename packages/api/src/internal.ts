/** For the engine's own packages; not for jobs, and not under semantic versioning. */
export { type AccumulatorChange, AccumulatorRegistry } from './accumulator.ts';
export { ACTIONS, decodeResult, emptyResult, encodeResult } from './actions/index.ts';
export { KAFKA_WRITE_PARTS, type KafkaWritePart } from './actions/kafka-write.ts';
export { canonicalKey } from './canonical-key.ts';
export { type EvaluatedJob, evaluateJob, isJobDefinition, type JobDefinition } from './define-job.ts';
export { elementPromise } from './element-function.ts';
export { JOB_OPTIONS, type JobOptions } from './job-options.ts';
export type { BuiltInCodecName, ShippedCodec } from './kafka/codec.ts';
export {
  type ResolvedConsumerOptions,
  resolveConsumerOptions,
  STREAM_OPTIONS,
} from './kafka/consumer-options.ts';
export type { Assignment, ConsumerStrategy, StrategyAdmin } from './kafka/consumer-strategies.ts';
export { type DeadLetterSettings, deadLetterProblem } from './kafka/dead-letter-topic.ts';
export type { LocationStrategy } from './kafka/location-strategies.ts';
export type { OffsetCommitter } from './kafka/offset-commit.ts';
export { hashPartition, keyHash, textHash } from './key-hash.ts';
export { KeyMap, keyText } from './key-map.ts';
export type { ActionDefinition, ActionFragmentContext, LoopAction } from './lineage/action-definition.ts';
export { cutLineage } from './lineage/cut-lineage.ts';
export type { JobRequest, JobRunner } from './lineage/job-runner.ts';
export type {
  ElementOperator,
  FragmentContext,
  OperatorDefinition,
  PartitionOperator,
  PartitionOperatorCall,
} from './lineage/operator-definition.ts';
export {
  type PartitionerCall,
  partitionerOf,
  type RangePartitionerCall,
  samePartitioner,
} from './lineage/partitioner-call.ts';
export { type KeySample, rangeBounds, rangeIndex } from './lineage/range-index.ts';
export {
  type ActionCall,
  type ActionKind,
  bucketCount,
  type CoalescedNode,
  isCheckpoint,
  type KafkaSourceInfo,
  type MergeKind,
  type MergeNode,
  type OperatorCall,
  type OperatorKind,
  offsetRangesOf,
  type PersistedNode,
  partitionCount,
  type RddNode,
  type ShuffleNode,
  type StoredNode,
} from './lineage/rdd-node.ts';
export type {
  KeptState,
  StateCall,
  StatefulNode,
  StateHead,
  StateSnapshotsNode,
} from './lineage/stateful-node.ts';
export { StorageLevel } from './lineage/storage-level.ts';
export { type Combining, combiningOf, type InlineMerge } from './operators/combine.ts';
export { isEmptyPreserving, OPERATORS } from './operators/index.ts';
export { rebased } from './operators/rebased.ts';
export {
  type ExactlyOnceOutput,
  type OutputTransactions,
  outputConflict,
  outputFenced,
  outputForeign,
  type SkippedTask,
  type TransactionSettings,
} from './output/exactly-once.ts';
export type { FileManifest } from './output/file-manifest.ts';
export type { FileSettings, WrittenPart } from './output/file-sink.ts';
export type { KafkaWriteSettings, OutputRecord } from './output/kafka-sink.ts';
export type { OutputRun } from './output/output-run.ts';
export { POSTGRES_LOGGED } from './output/postgres-sink.ts';
export { stackPlace } from './place.ts';
export { checkPlainData, isLeaf, isPlainObject } from './plain-data.ts';
export { isAway } from './postgres/connection.ts';
export { setWherePossible } from './postgres/transaction-limits.ts';
export { RDD } from './rdd.ts';
export { rowOrder } from './row-order.ts';
export { chunksOf, rowsOf } from './rows.ts';
export type { FunctionShipper, ShippedFunction } from './shipped-function.ts';
export { KEYED_SHAPE } from './state/stateful-rdd.ts';
export { type BatchInput, BatchRdds } from './stream/compute-rdd.ts';
export type { GraphBuilder } from './stream/graph-builder.ts';
export type {
  BatchTime,
  DirectKafkaInput,
  InverseWindowNode,
  OperatorTemplate,
  OutputOperation,
  QueueNode,
  StatefulStreamNode,
  StreamGraph,
  StreamNode,
  WindowNode,
} from './stream/stream-node.ts';
export { describeOutput } from './stream/stream-node.ts';
export { StreamReach } from './stream/stream-reach.ts';
export { type BatchSpan, missedSlides } from './stream/stream-slides.ts';
export { type ContextInternals, StreamingContext } from './streaming-context.ts';
export { encodeAccumulatorUpdates, type TaskAccumulator, taskAccumulator } from './task-accumulator.ts';
export {
  type AccumulatorUpdates,
  currentTask,
  runWithTaskContext,
  type TaskContextData,
} from './task-context.ts';
