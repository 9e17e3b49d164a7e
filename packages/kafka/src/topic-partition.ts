/** One Kafka partition. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** `topic-partition`, as Kafka prints it; a key for maps (unique: the partition has no dash). */
export type TopicPartitionKey = `${string}-${number}`;

export function topicPartitionKey(tp: TopicPartition): TopicPartitionKey {
  return `${tp.topic}-${tp.partition}`;
}

/** By topic (code units), then partition. */
export function compareTopicPartitions(a: TopicPartition, b: TopicPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1;
  return a.partition - b.partition;
}
