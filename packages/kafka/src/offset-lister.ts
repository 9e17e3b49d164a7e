import { MillraceError } from '@millrace/common';
import type { ClusterMetadata } from './cluster-metadata.ts';
import type { BrokerPool } from './connection/broker-pool.ts';
import { kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { IsolationLevel, ListedOffset, OffsetSpec } from './kafka-port.ts';
import {
  LIST_OFFSETS,
  type ListedPartition,
  TIMESTAMP_EARLIEST,
  TIMESTAMP_LATEST,
} from './protocol/offsets-api.ts';
import type { Retrier } from './retrier.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from './topic-partition.ts';
import { isRetryableKafkaError, KAFKA_ERROR } from './wire/kafka-error.ts';

type Located = TopicPartition & { readonly leaderEpoch: number };

/** Asks leaders for offsets: one request per broker, all at the same time. */
export class OffsetLister {
  private readonly pool: BrokerPool;
  private readonly metadata: ClusterMetadata;
  private readonly retrier: Retrier;
  private readonly options: KafkaOptions;

  constructor(pool: BrokerPool, metadata: ClusterMetadata, retrier: Retrier, options: KafkaOptions) {
    this.pool = pool;
    this.metadata = metadata;
    this.retrier = retrier;
    this.options = options;
  }

  /** See KafkaClient.listOffsets. */
  async list(
    partitions: readonly TopicPartition[],
    at: OffsetSpec,
    isolation: IsolationLevel,
    timeoutMs = this.options.requestTimeoutMs,
  ): Promise<Map<TopicPartitionKey, ListedOffset>> {
    const asked = distinct(partitions);
    const timestamp = timestampOf(at);
    // Where no record is as young as a timestamp, the end is meant. It is asked for first: what is appended between the two questions
    // lies after it, and is not passed over.
    const ends =
      timestamp >= 0
        ? await this.listAt(asked, TIMESTAMP_LATEST, isolation, timeoutMs)
        : new Map<TopicPartitionKey, ListedOffset>();
    return new Map([...ends, ...(await this.listAt(asked, timestamp, isolation, timeoutMs))]);
  }

  /** A partition without a record at or after the timestamp is absent. */
  private async listAt(
    partitions: readonly TopicPartition[],
    timestamp: number,
    isolation: IsolationLevel,
    timeoutMs: number,
  ): Promise<Map<TopicPartitionKey, ListedOffset>> {
    const listed = new Map<TopicPartitionKey, ListedOffset>();
    let missing = partitions;
    await this.retrier.run(timeoutMs, async (leftMs) => {
      if (missing.length === 0) return;
      const answers = await this.ask(missing, timestamp, isolation, leftMs);
      const failed: TopicPartition[] = [];
      let failure: unknown;
      for (const { found, error, of } of answers) {
        if (error !== undefined) {
          failure = error;
          for (const tp of of) failed.push(tp);
        }
        for (const answer of found) {
          if (answer.error !== 0) {
            failure = this.failureOf(answer);
            failed.push(answer);
          } else if (answer.offset >= 0)
            listed.set(topicPartitionKey(answer), { offset: answer.offset, leaderEpoch: answer.leaderEpoch });
        }
      }
      missing = failed;
      for (const tp of failed) this.metadata.invalidate(tp.topic);
      if (failure !== undefined) throw failure;
    });
    return listed;
  }

  private async ask(
    partitions: readonly TopicPartition[],
    timestamp: number,
    isolation: IsolationLevel,
    timeoutMs: number,
  ): Promise<
    ReadonlyArray<{ found: readonly ListedPartition[]; error?: unknown; of: readonly TopicPartition[] }>
  > {
    const byLeader = new Map<number, Located[]>();
    for (const { topic, partition } of partitions) {
      const { leaderId, leaderEpoch } = await this.metadata.leader({ topic, partition });
      const located = { topic, partition, leaderEpoch };
      const of = byLeader.get(leaderId);
      if (of === undefined) byLeader.set(leaderId, [located]);
      else of.push(located);
    }
    return Promise.all(
      [...byLeader].map(async ([leaderId, of]) => {
        try {
          const connection = await this.pool.toNode(leaderId, 'metadata');
          const request = { committedOnly: isolation === 'read_committed', timestamp, partitions: of };
          return { of, found: await connection.call(LIST_OFFSETS, request, { timeoutMs }) };
        } catch (error) {
          return { of, found: [], error };
        }
      }),
    );
  }

  private failureOf(answer: ListedPartition): MillraceError {
    const { topic, partition, error } = answer;
    if (error === KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION || isRetryableKafkaError(error)) {
      // The metadata is asked again: it says UNKNOWN_TOPIC when that is the truth.
      return new MillraceError(
        'LEADER_CHANGED',
        `${topic}-${partition} is not led by the broker that was asked`,
        {
          cause: kafkaFailure(error, `ListOffsets of ${topic}-${partition}`),
          details: { topic, partition },
        },
      );
    }
    return kafkaFailure(error, `ListOffsets of ${topic}-${partition}`, { topic, partition });
  }
}

function timestampOf(at: OffsetSpec): number {
  if (at === 'earliest') return TIMESTAMP_EARLIEST;
  if (at === 'latest') return TIMESTAMP_LATEST;
  if (Number.isSafeInteger(at.timestamp) && at.timestamp >= 0) return at.timestamp;
  throw new MillraceError('BAD_REQUEST', `${at.timestamp} is not a timestamp in ms`);
}

function distinct(partitions: readonly TopicPartition[]): TopicPartition[] {
  return [...new Map(partitions.map((tp) => [topicPartitionKey(tp), tp])).values()];
}
