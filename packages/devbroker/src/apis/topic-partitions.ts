import type { TopicPartition } from '@millrace/kafka';

interface NamedTopic {
  readonly name: string;
  readonly partitions: ReadonlyArray<number | { readonly index: number }>;
}

/** The partitions that most requests name, by topic. */
export function partitionsOf(topics: readonly NamedTopic[]): readonly TopicPartition[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map((each) => ({ topic: name, partition: typeof each === 'number' ? each : each.index })),
  );
}
