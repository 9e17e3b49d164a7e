export { connectKafka, type KafkaDependencies } from './kafka-client.ts';
export { KAFKA_OPTIONS, type KafkaOptions, type SaslOptions, type TlsOptions } from './kafka-options.ts';
export type {
  CommittedOffset,
  Compression,
  IsolationLevel,
  KafkaClient,
  KafkaProducer,
  ListedOffset,
  OffsetSpec,
  PartitionMetadata,
  PartitionReader,
  ProducedRange,
  ProduceOptions,
  ProduceRecord,
  ReaderOptions,
  TopicMetadata,
} from './kafka-port.ts';
export { type OffsetRange, offsetRange, offsetSpan } from './offset-range.ts';
export type { RecordStream, RecordStreamOptions } from './produce/record-stream.ts';
export { RecordColumns } from './record-columns.ts';
export { COMPRESSIONS, compress, decompress } from './records/compression.ts';
export { decodeRecordBatches } from './records/record-batch-decoder.ts';
export { encodeRecordBatch } from './records/record-batch-encoder.ts';
export { ATTRIBUTE, BATCH, BATCH_LENGTH_END, readInt64, writeInt64 } from './records/record-batch-header.ts';
export {
  compareTopicPartitions,
  type TopicPartition,
  type TopicPartitionKey,
  topicPartitionKey,
} from './topic-partition.ts';
export {
  claimedProgress,
  isForeign,
  type Progress,
  progressVerdict,
} from './transaction/progress.ts';
export {
  ensureProgressTopic,
  type ProgressPlace,
  progressOffset,
  progressPlace,
  readProgress,
} from './transaction/progress-store.ts';
export type { TransactionState } from './transaction/transaction-machine.ts';
export type {
  TransactionalProducer,
  TransactionalProducerOptions,
  TxnOffset,
} from './transaction/transaction-port.ts';
export { API_KEY, type ApiName } from './wire/api-key.ts';
export { KAFKA_ERROR, type KafkaErrorNumber } from './wire/kafka-error.ts';
export { WireReader } from './wire/wire-reader.ts';
export { WireWriter } from './wire/wire-writer.ts';
