import type { BrokerConnection } from './connection/broker-connection.ts';
import type { BrokerPool } from './connection/broker-pool.ts';
import { BrokerFailure, kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { CommittedOffset } from './kafka-port.ts';
import { FIND_COORDINATOR, OFFSET_COMMIT, OFFSET_FETCH } from './protocol/group-api.ts';
import type { Retrier } from './retrier.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from './topic-partition.ts';
import { KAFKA_ERROR } from './wire/kafka-error.ts';

const COORDINATORS_CACHED_MAX = 1000;

const COORDINATOR_MOVED: ReadonlySet<number> = new Set([
  KAFKA_ERROR.COORDINATOR_LOAD_IN_PROGRESS,
  KAFKA_ERROR.COORDINATOR_NOT_AVAILABLE,
  KAFKA_ERROR.NOT_COORDINATOR,
]);

/** Offsets of consumer groups, read and committed without being a member. */
export class GroupOffsets {
  private readonly pool: BrokerPool;
  private readonly retrier: Retrier;
  private readonly options: KafkaOptions;
  /** Node ids by group. */
  private readonly coordinators = new Map<string, number>();
  /** Brings the brokers' addresses up to date. */
  private readonly refreshNodes: () => Promise<unknown>;

  constructor(
    pool: BrokerPool,
    retrier: Retrier,
    options: KafkaOptions,
    refreshNodes: () => Promise<unknown>,
  ) {
    this.pool = pool;
    this.retrier = retrier;
    this.options = options;
    this.refreshNodes = refreshNodes;
  }

  /** See KafkaClient.committedOffsets. */
  async committed(
    groupId: string,
    partitions: readonly TopicPartition[],
  ): Promise<Map<TopicPartitionKey, CommittedOffset>> {
    if (partitions.length === 0) return new Map();
    return this.withCoordinator(groupId, async (connection, timeoutMs) => {
      const response = await connection.call(OFFSET_FETCH, { groupId, partitions }, { timeoutMs });
      this.check(groupId, 'OffsetFetch', response.error);
      const committed = new Map<TopicPartitionKey, CommittedOffset>();
      for (const found of response.partitions) {
        this.check(groupId, 'OffsetFetch', found.error, found);
        if (found.offset >= 0)
          committed.set(topicPartitionKey(found), { offset: found.offset, metadata: found.metadata });
      }
      return committed;
    });
  }

  /** See KafkaClient.commitOffsets. */
  async commit(
    groupId: string,
    offsets: ReadonlyArray<TopicPartition & { readonly offset: number; readonly metadata?: string }>,
  ): Promise<void> {
    if (offsets.length === 0) return;
    await this.withCoordinator(groupId, async (connection, timeoutMs) => {
      const results = await connection.call(OFFSET_COMMIT, { groupId, offsets }, { timeoutMs });
      for (const result of results) this.check(groupId, 'OffsetCommit', result.error, result);
    });
  }

  private async withCoordinator<T>(
    groupId: string,
    use: (connection: BrokerConnection, timeoutMs: number) => Promise<T>,
  ): Promise<T> {
    return this.retrier.run(this.options.requestTimeoutMs, async (timeoutMs) => {
      try {
        return await use(await this.coordinator(groupId, timeoutMs), timeoutMs);
      } catch (error) {
        if (error instanceof BrokerFailure) this.coordinators.delete(groupId);
        throw error;
      }
    });
  }

  private async coordinator(groupId: string, timeoutMs: number): Promise<BrokerConnection> {
    let nodeId = this.coordinators.get(groupId);
    if (nodeId === undefined) {
      const connection = await this.pool.toAny();
      const found = await connection.call(FIND_COORDINATOR, { groupId }, { timeoutMs });
      this.check(groupId, 'FindCoordinator', found.error);
      nodeId = found.nodeId;
      if (this.coordinators.size >= COORDINATORS_CACHED_MAX) this.coordinators.clear();
      this.coordinators.set(groupId, nodeId);
    }
    if (!this.pool.knows(nodeId)) await this.refreshNodes();
    return this.pool.toNode(nodeId, 'metadata');
  }

  private check(groupId: string, api: string, error: number, tp?: TopicPartition): void {
    if (error === 0) return;
    if (COORDINATOR_MOVED.has(error)) this.coordinators.delete(groupId);
    const of = tp === undefined ? '' : ` for ${topicPartitionKey(tp)}`;
    throw kafkaFailure(error, `${api} of group ${groupId}${of}`, {
      groupId,
      ...(tp === undefined ? {} : { topic: tp.topic, partition: tp.partition }),
    });
  }
}
