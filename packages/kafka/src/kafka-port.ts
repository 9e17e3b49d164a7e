import type { OffsetRange } from './offset-range.ts';
import type { RecordStream, RecordStreamOptions } from './produce/record-stream.ts';
import type { RecordColumns } from './record-columns.ts';
import type { TopicPartition, TopicPartitionKey } from './topic-partition.ts';
import type { TransactionalProducer, TransactionalProducerOptions } from './transaction/transaction-port.ts';

/**
 * `latest` is the last stable offset under read_committed, else the high watermark. `timestamp` (ms): the first record that is not older;
 * `latest` when there is none.
 */
export type OffsetSpec = 'earliest' | 'latest' | { readonly timestamp: number };

export type IsolationLevel = 'read_committed' | 'read_uncommitted';

export interface PartitionMetadata {
  readonly partition: number;
  /** Node id of the leader; −1 when there is none. */
  readonly leaderId: number;
  /** Host of the leader as the broker advertises it; '' when there is none. */
  readonly leaderHost: string;
  /** −1 when the broker does not tell. */
  readonly leaderEpoch: number;
}

export interface TopicMetadata {
  readonly topic: string;
  /** Base64url of the topic's UUID; undefined when the broker is older than Metadata v10. */
  readonly topicId: string | undefined;
  readonly partitions: readonly PartitionMetadata[];
}

export interface ListedOffset {
  readonly offset: number;
  /** −1 when the broker does not tell. */
  readonly leaderEpoch: number;
}

export interface CommittedOffset {
  readonly offset: number;
  readonly metadata: string;
}

/** Reads one partition: kept open by a slot between batches (the cached consumer). */
export interface PartitionReader {
  /**
   * Records of `[fromOffset, untilOffset)` as columns, in offset order. It ends by fetch position, never by counting records:
   * gaps (compaction, transaction markers, empty ranges) are normal. The next fetch is in flight while one is consumed.
   * With `reuseColumns` a RecordColumns, its buffer and every view of it are valid only until the iterator is advanced: the next fetch is
   * read into the same memory.
   * @throws MillraceError OFFSET_OUT_OF_RANGE, TOPIC_RECREATED, LOG_TRUNCATED, RECORD_BATCH_CORRUPT, RECORD_BATCH_UNSUPPORTED,
   *   LEADER_CHANGED (after its own retries), KAFKA_UNREACHABLE, DEADLINE_EXCEEDED: each with topic, partition and offset.
   */
  read(
    range: OffsetRange,
    options?: { readonly reuseColumns?: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<RecordColumns>;
  /**
   * Begins to fetch what `read(range)` will ask for first; what comes is kept until that read, a prefetch of another range, or the end of
   * the reader. Only a hint: it throws nothing, and a failure is met again by the read.
   */
  prefetch(range: OffsetRange): void;
  close(): Promise<void>;
}

export interface ProduceRecord {
  readonly key?: string | Uint8Array | null;
  readonly value: string | Uint8Array | null;
  /** Absent: by key hash (Kafka's murmur2), or sticky when there is no key. */
  readonly partition?: number;
  /** ms; absent: now. */
  readonly timestamp?: number;
  readonly headers?: ReadonlyArray<readonly [string, string | Uint8Array | null]>;
}

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export interface ProduceOptions {
  readonly acks?: -1 | 0 | 1;
  readonly compression?: Compression;
}

/**
 * The offsets that were given to records of one partition: one range for what is contiguous, so a partition may occur more than once.
 * With acks 0, `baseOffset` is −1.
 */
export interface ProducedRange extends TopicPartition {
  readonly baseOffset: number;
  readonly records: number;
}

/** Pooled: connections do not grow with partitions or batches. */
export interface KafkaProducer {
  /**
   * Resolves when every record has been acknowledged. Order within a partition is kept, across sends too.
   * @throws MillraceError RECORD_TOO_LARGE, UNKNOWN_TOPIC, UNKNOWN_PARTITION, BAD_REQUEST, KAFKA_AUTH, KAFKA_UNREACHABLE, LEADER_CHANGED,
   *   KAFKA_PROTOCOL. When it fails, some of the records may have been written, but none will be later.
   */
  send(
    topic: string,
    records: readonly ProduceRecord[],
    options?: ProduceOptions,
  ): Promise<readonly ProducedRange[]>;
  /** For very many records, which are encoded as they come: no object a record, and bounded memory. */
  stream(options: RecordStreamOptions): RecordStream;
  close(): Promise<void>;
}

export interface CommittedOffsetsOptions {
  readonly requireStable?: boolean;
  /** Default: the client's `requestTimeoutMs`, of which brokers may be away for `connectionTimeoutMs`. */
  readonly timeoutMs?: number;
  /** With `requireStable`: TRANSACTION_UNKNOWN when a transaction stays undecided for so long. Default: it is waited for like brokers. */
  readonly undecidedMs?: number;
}

/** The one seam between the engine and Kafka. Offsets are numbers, checked at the wire: above 2^53−1 is OFFSET_UNSAFE. */
export interface KafkaClient {
  /** Metadata of these topics, or of all. @throws UNKNOWN_TOPIC naming all that do not exist, KAFKA_UNREACHABLE after a bounded time. */
  topics(names?: readonly string[]): Promise<readonly TopicMetadata[]>;
  listOffsets(
    partitions: readonly TopicPartition[],
    at: OffsetSpec,
    isolation?: IsolationLevel,
  ): Promise<ReadonlyMap<TopicPartitionKey, ListedOffset>>;
  /** A reader of one partition. Cheap: connections are shared. */
  reader(tp: TopicPartition, options?: ReaderOptions): PartitionReader;
  /**
   * Offsets committed by a group, without joining it. A partition with none is absent. It waits for open transactions that may change
   * them, where the broker can tell (Kafka 2.5 and later); with `requireStable` an older broker is KAFKA_PROTOCOL. With `timeoutMs` it is
   * asked for so long, also while no broker can be reached.
   */
  committedOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options?: CommittedOffsetsOptions,
  ): Promise<ReadonlyMap<TopicPartitionKey, CommittedOffset>>;
  /** Commits offsets of a group, without joining it (generation −1). */
  commitOffsets(
    groupId: string,
    offsets: ReadonlyArray<TopicPartition & { readonly offset: number; readonly metadata?: string }>,
  ): Promise<void>;
  producer(): KafkaProducer;
  /** Not yet initialised. @throws MillraceError BAD_REQUEST: no id, or a time-out that is not positive. */
  transactionalProducer(options: TransactionalProducerOptions): TransactionalProducer;
  createTopic(
    topic: string,
    options: {
      readonly partitions: number;
      readonly replicationFactor?: number;
      readonly config?: Readonly<Record<string, string>>;
    },
  ): Promise<void>;
  createPartitions(topic: string, totalCount: number): Promise<void>;
  deleteTopic(topic: string): Promise<void>;
  close(): Promise<void>;
}

export interface ReaderOptions {
  readonly isolation?: IsolationLevel;
  readonly topicId?: string;
}
