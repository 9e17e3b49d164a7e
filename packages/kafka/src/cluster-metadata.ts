import { type Clock, MillraceError } from '@millrace/common';
import type { BrokerConnection } from './connection/broker-connection.ts';
import type { BrokerPool } from './connection/broker-pool.ts';
import { kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { PartitionMetadata, TopicMetadata } from './kafka-port.ts';
import { METADATA, type MetadataTopic } from './protocol/metadata-api.ts';
import type { TopicPartition } from './topic-partition.ts';
import { KAFKA_ERROR } from './wire/kafka-error.ts';

/** Where a partition is led, and which topic it is. */
export interface Leadership {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly topicId: string | undefined;
}

interface CachedTopic {
  readonly topic: TopicMetadata;
  readonly until: number;
}

/** What brokers tell as the leader while there is none. */
const NO_LEADER = -1;

const ATTEMPTS_MIN = 3;
const TOPICS_CACHED_MAX = 10_000;

/** Topics, leaders and brokers as Kafka last told. Only what is asked for is refreshed. */
export class ClusterMetadata {
  private readonly pool: BrokerPool;
  private readonly options: KafkaOptions;
  private readonly clock: Clock;
  private readonly cached = new Map<string, CachedTopic>();
  private readonly refreshing = new Map<string, Promise<TopicMetadata>>();
  private controllerId = -1;

  constructor(pool: BrokerPool, options: KafkaOptions, clock: Clock) {
    this.pool = pool;
    this.options = options;
    this.clock = clock;
  }

  /**
   * Asks a broker, always: one request.
   * @throws MillraceError UNKNOWN_TOPIC naming all that do not exist; KAFKA_AUTH; KAFKA_PROTOCOL, LEADER_CHANGED (retryable).
   */
  async fetch(names: readonly string[] | null): Promise<readonly TopicMetadata[]> {
    const connection = await this.pool.toAny();
    const response = await connection.call(
      METADATA,
      { topics: names === null ? null : [...new Set(names)] },
      // A broker that hangs must not cost the whole deadline: another one is asked.
      { timeoutMs: Math.ceil(this.options.requestTimeoutMs / ATTEMPTS_MIN) },
    );
    this.pool.setNodes(new Map(response.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])));
    this.controllerId = response.controllerId;
    const unknown: string[] = [];
    const topics: TopicMetadata[] = [];
    for (const found of response.topics) {
      if (found.error !== 0) this.cached.delete(found.topic);
      if (
        found.error === KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION ||
        found.error === KAFKA_ERROR.INVALID_TOPIC_EXCEPTION
      )
        unknown.push(found.topic);
      else if (found.error === 0) topics.push(this.keep(found));
      // Among all topics, one that we may not see, or that is being made, is not our concern.
      else if (names !== null)
        throw kafkaFailure(found.error, `Metadata of ${found.topic}`, { topic: found.topic });
    }
    if (unknown.length > 0 && names !== null) throw unknownTopics(unknown);
    return topics;
  }

  /** Leader of a partition, from the cache when it is not too old. */
  async leader(tp: TopicPartition): Promise<Leadership> {
    const known = this.known(tp.topic);
    // A partition may be new, and an election over by now: only a leader is believed without asking.
    const isLed = (known?.partitions[tp.partition]?.leaderId ?? NO_LEADER) !== NO_LEADER;
    return leadershipOf(known !== undefined && isLed ? known : await this.refresh(tp.topic), tp);
  }

  /** The metadata of one topic, from the cache when it is not too old. */
  async topic(name: string): Promise<TopicMetadata> {
    return this.known(name) ?? this.refresh(name);
  }

  /** Asks for one topic; who asks meanwhile shares the answer. */
  async refresh(name: string): Promise<TopicMetadata> {
    let refreshing = this.refreshing.get(name);
    if (refreshing === undefined) {
      refreshing = this.fetch([name])
        .then(([topic]) => {
          if (topic === undefined) throw unknownTopics([name]);
          return topic;
        })
        .finally(() => this.refreshing.delete(name));
      this.refreshing.set(name, refreshing);
    }
    return refreshing;
  }

  /** The next use of the topic asks again. */
  invalidate(name: string): void {
    this.cached.delete(name);
  }

  /** A connection to the controller, for the making and deleting of topics. */
  async controller(): Promise<BrokerConnection> {
    if (!this.pool.knows(this.controllerId)) await this.fetch([]);
    return this.pool.knows(this.controllerId)
      ? this.pool.toNode(this.controllerId, 'metadata')
      : this.pool.toAny();
  }

  forgetController(): void {
    this.controllerId = -1;
  }

  /** From the cache; undefined when it is not there, or too old. */
  private known(name: string): TopicMetadata | undefined {
    const cached = this.cached.get(name);
    return cached !== undefined && cached.until > this.clock.monotonic() ? cached.topic : undefined;
  }

  private keep(found: MetadataTopic): TopicMetadata {
    const partitions = found.partitions
      .map(
        ({ partition, leaderId, leaderEpoch }): PartitionMetadata => ({
          partition,
          leaderId,
          leaderEpoch,
          leaderHost: this.pool.hostOf(leaderId),
        }),
      )
      .toSorted((a, b) => a.partition - b.partition);
    const topic: TopicMetadata = { topic: found.topic, topicId: found.topicId, partitions };
    this.cached.delete(topic.topic);
    if (this.cached.size >= TOPICS_CACHED_MAX) {
      const [oldest] = this.cached.keys();
      if (oldest !== undefined) this.cached.delete(oldest);
    }
    this.cached.set(topic.topic, {
      topic,
      until: this.clock.monotonic() + this.options.metadataMaxAgeMs,
    });
    return topic;
  }
}

function leadershipOf(topic: TopicMetadata, tp: TopicPartition): Leadership {
  const found = topic.partitions[tp.partition];
  if (found === undefined) throw unknownPartition(tp, topic.partitions.length);
  if (found.leaderId === NO_LEADER) {
    throw new MillraceError('LEADER_CHANGED', `${tp.topic}-${tp.partition} has no leader at the moment`, {
      details: { topic: tp.topic, partition: tp.partition },
    });
  }
  return { leaderId: found.leaderId, leaderEpoch: found.leaderEpoch, topicId: topic.topicId };
}

function unknownTopics(names: readonly string[]): MillraceError {
  const quoted = names.map((name) => `"${name}"`).join(', ');
  return new MillraceError(
    'UNKNOWN_TOPIC',
    names.length === 1 ? `The topic ${quoted} does not exist` : `The topics ${quoted} do not exist`,
    {
      remedy:
        names.length === 1
          ? 'Create it first, or correct the name.'
          : 'Create them first, or correct the names.',
      details: { topics: names.join(',') },
    },
  );
}

export function unknownPartition(tp: TopicPartition, count: number): MillraceError {
  return new MillraceError(
    'UNKNOWN_PARTITION',
    `${tp.topic} has no partition ${tp.partition}: it has ${count}`,
    {
      remedy: `Use a partition in [0, ${count}).`,
      details: { topic: tp.topic, partition: tp.partition, count },
    },
  );
}
