import { MillraceError } from '@millrace/common';
import type { BrokerConnection } from './connection/broker-connection.ts';
import { type Coordinators, coordinatorCallMs, isCoordinatorMoved } from './coordinators.ts';
import { BrokerFailure, kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { CommittedOffset, CommittedOffsetsOptions } from './kafka-port.ts';
import { OFFSET_COMMIT, OFFSET_FETCH, STABLE_OFFSET_FETCH } from './protocol/group-api.ts';
import type { Retrier } from './retrier.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from './topic-partition.ts';
import { KAFKA_ERROR } from './wire/kafka-error.ts';

/** Offsets of consumer groups, read and committed without being a member. */
export class GroupOffsets {
  private readonly coordinators: Coordinators;
  private readonly retrier: Retrier;
  private readonly options: KafkaOptions;
  private readonly now: () => number;

  constructor(coordinators: Coordinators, retrier: Retrier, options: KafkaOptions, now: () => number) {
    this.coordinators = coordinators;
    this.retrier = retrier;
    this.options = options;
    this.now = now;
  }

  /** See KafkaClient.committedOffsets. */
  async committed(
    groupId: string,
    partitions: readonly TopicPartition[],
    { requireStable = false, timeoutMs, undecidedMs }: CommittedOffsetsOptions = {},
  ): Promise<Map<TopicPartitionKey, CommittedOffset>> {
    if (partitions.length === 0) return new Map();
    const api = requireStable ? STABLE_OFFSET_FETCH : OFFSET_FETCH;
    let undecidedSince: number | undefined;
    const read = async (connection: BrokerConnection, leftMs: number) => {
      const response = await connection.call(api, { groupId, partitions }, { timeoutMs: leftMs });
      this.check(groupId, 'OffsetFetch', response.error);
      const committed = new Map<TopicPartitionKey, CommittedOffset>();
      for (const found of response.partitions) {
        if (undecidedMs !== undefined && found.error === KAFKA_ERROR.UNSTABLE_OFFSET_COMMIT) {
          undecidedSince ??= this.now();
          if (this.now() - undecidedSince >= undecidedMs) throw undecided(groupId, found, undecidedMs);
        }
        this.check(groupId, 'OffsetFetch', found.error, found);
        if (found.offset >= 0)
          committed.set(topicPartitionKey(found), { offset: found.offset, metadata: found.metadata });
      }
      return committed;
    };
    if (timeoutMs === undefined) return this.withCoordinator(groupId, read);
    const patiently = (connection: BrokerConnection, leftMs: number) =>
      read(connection, coordinatorCallMs(leftMs, timeoutMs));
    return this.withCoordinator(groupId, patiently, { timeoutMs, isPatient: true });
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
    use: (connection: BrokerConnection, leftMs: number) => Promise<T>,
    {
      timeoutMs = this.options.requestTimeoutMs,
      isPatient = false,
    }: { readonly timeoutMs?: number; readonly isPatient?: boolean } = {},
  ): Promise<T> {
    const group = { type: 'group', key: groupId } as const;
    return this.retrier.run(
      timeoutMs,
      async (leftMs) => {
        try {
          const callMs = coordinatorCallMs(leftMs, timeoutMs);
          return await use(await this.coordinators.connectionTo(group, 'metadata', callMs), leftMs);
        } catch (error) {
          if (error instanceof BrokerFailure) this.coordinators.forget(group);
          throw error;
        }
      },
      { isPatient },
    );
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

function undecided(groupId: string, { topic, partition }: TopicPartition, ms: number): MillraceError {
  return new MillraceError(
    'TRANSACTION_UNKNOWN',
    `It is not decided for ${ms} ms what group ${groupId} has committed of ${topicPartitionKey({ topic, partition })}`,
    { retryable: false, details: { groupId, topic, partition } },
  );
}
