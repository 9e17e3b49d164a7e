import type { ConsumerStrategy } from '@millrace/api/internal';
import {
  type KafkaClient,
  type TopicMetadata,
  type TopicPartition,
  topicPartitionKey,
} from '@millrace/kafka';

export interface PartitionFacts {
  /** undefined when the broker does not tell. */
  readonly topicId: string | undefined;
  /** '' when there is no leader. */
  readonly leaderHost: string;
}

/** What a strategy chose, with what Kafka says of it. */
export interface Discovery {
  readonly partitions: readonly TopicPartition[];
  readonly topics: ReadonlyMap<string, PartitionFacts>;
  readonly starts: ReadonlyMap<string, number>;
}

/**
 * Asks the strategy. The metadata that it asks for are kept, so that Kafka is not asked twice; topics of a user-made strategy
 * that it did not ask about are looked up.
 */
export async function discover(
  kafka: KafkaClient,
  strategy: ConsumerStrategy<unknown, unknown>,
  positions: ReadonlyMap<string, number>,
): Promise<Discovery> {
  const seen = new Map<string, TopicMetadata>();
  const look = async (names?: readonly string[]): Promise<readonly TopicMetadata[]> => {
    const topics = await kafka.topics(names);
    for (const topic of topics) seen.set(topic.topic, topic);
    return topics;
  };
  const { partitions, starts } = await strategy.assign(
    {
      topics: look,
      listOffsets: (tps, at, isolation) => kafka.listOffsets(tps, at, isolation),
      committedOffsets: (groupId, tps) => kafka.committedOffsets(groupId, tps),
    },
    positions,
  );
  const unseen = [...new Set(partitions.map(({ topic }) => topic))].filter((topic) => !seen.has(topic));
  if (unseen.length > 0) await look(unseen);
  const topics = new Map<string, PartitionFacts>();
  for (const { topic, topicId, partitions: known } of seen.values()) {
    for (const { partition, leaderHost } of known) {
      topics.set(topicPartitionKey({ topic, partition }), { topicId, leaderHost });
    }
  }
  return { partitions: distinct(partitions), topics, starts: starts ?? new Map() };
}

/** A user-made strategy may name a partition twice. */
function distinct(partitions: readonly TopicPartition[]): readonly TopicPartition[] {
  return [
    ...new Map(
      partitions.map(({ topic, partition }) => [`${topic}-${partition}`, { topic, partition }]),
    ).values(),
  ];
}
