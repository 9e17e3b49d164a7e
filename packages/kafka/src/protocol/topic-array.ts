import type { TopicPartition } from '../topic-partition.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import type { WireWriter } from '../wire/wire-writer.ts';

/** Partitions grouped by topic, in the order given: the shape of most requests. */
export type ByTopic<T> = ReadonlyArray<readonly [topic: string, partitions: readonly T[]]>;

export function byTopic<T extends TopicPartition>(partitions: readonly T[]): ByTopic<T> {
  return [...Map.groupBy(partitions, (tp) => tp.topic)];
}

/** topics: [name, partitions: [`write`]]. */
export function encodeTopics<T>(
  w: WireWriter,
  topics: ByTopic<T>,
  flexible: boolean,
  write: (partition: T) => void,
): void {
  if (!flexible) {
    w.array(topics, ([topic, partitions]) => w.string(topic).array(partitions, write));
    return;
  }
  w.compactArray(topics, ([topic, partitions]) => {
    w.compactString(topic);
    w.compactArray(partitions, (partition) => {
      write(partition);
      w.taggedFields();
    });
    w.taggedFields();
  });
}

/** The same shape in a response, flattened. */
export function decodeTopics<T>(r: WireReader, flexible: boolean, read: (topic: string) => T): T[] {
  const items: T[] = [];
  const topicOf = (): void => {
    const topic = flexible ? r.compactString() : r.string();
    const partition = (): void => {
      items.push(read(topic));
      if (flexible) r.taggedFields();
    };
    if (!flexible) {
      r.array(partition);
      return;
    }
    r.compactArray(partition);
    r.taggedFields();
  };
  if (flexible) r.compactArray(topicOf);
  else r.array(topicOf);
  return items;
}
