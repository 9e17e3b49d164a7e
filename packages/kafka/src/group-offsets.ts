import type { BrokerConnection } from './connection/broker-connection.ts';
import { type Coordinators, isCoordinatorMoved } from './coordinators.ts';
import { BrokerFailure, kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { CommittedOffset } from './kafka-port.ts';
import { OFFSET_COMMIT, OFFSET_FETCH, STABLE_OFFSET_FETCH } from './protocol/group-api.ts';
import type { Retrier } from './retrier.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from './topic-partition.ts';

/** Offsets of consumer groups, read and committed without being a member. */
export class GroupOffsets {
  private readonly coordinators: Coordinators;
  private readonly retrier: Retrier;
  private readonly options: KafkaOptions;

  constructor(coordinators: Coordinators, retrier: Retrier, options: KafkaOptions) {
    this.coordinators = coordinators;
    this.retrier = retrier;
    this.options = options;
  }

  /** See KafkaClient.committedOffsets. */
  async committed(
    groupId: string,
    partitions: readonly TopicPartition[],
    requireStable = false,
  ): Promise<Map<TopicPartitionKey, CommittedOffset>> {
    if (partitions.length === 0) return new Map();
    const api = requireStable ? STABLE_OFFSET_FETCH : OFFSET_FETCH;
    return this.withCoordinator(groupId, async (connection, timeoutMs) => {
      const response = await connection.call(api, { groupId, partitions }, { timeoutMs });
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
    const group = { type: 'group', key: groupId } as const;
    return this.retrier.run(this.options.requestTimeoutMs, async (timeoutMs) => {
      try {
        return await use(await this.coordinators.connectionTo(group, 'metadata', timeoutMs), timeoutMs);
      } catch (error) {
        if (error instanceof BrokerFailure) this.coordinators.forget(group);
        throw error;
      }
    });
  }

  private check(groupId: string, api: string, error: number, tp?: TopicPartition): void {
    if (error === 0) return;
    if (isCoordinatorMoved(error)) this.coordinators.forget({ type: 'group', key: groupId });
    const of = tp === undefined ? '' : ` for ${topicPartitionKey(tp)}`;
    throw kafkaFailure(error, `${api} of group ${groupId}${of}`, {
      groupId,
      ...(tp === undefined ? {} : { topic: tp.topic, partition: tp.partition }),
    });
  }
}
