import { type KafkaClient, topicPartitionKey } from '@millrace/kafka';

export interface TopicRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: ReadonlyArray<readonly [string, string]>;
}

/** All records of a topic, partition by partition, as a reader of committed ones sees them. */
export async function recordsOf(
  client: KafkaClient,
  topic: string,
  partitions: number,
): Promise<readonly TopicRecord[]> {
  const records: TopicRecord[] = [];
  const tps = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await client.listOffsets(tps, 'latest');
  for (const tp of tps) {
    const untilOffset = ends.get(topicPartitionKey(tp))?.offset ?? 0;
    const reader = client.reader(tp);
    for await (const columns of reader.read({ ...tp, fromOffset: 0, untilOffset })) {
      for (let i = 0; i < columns.n; i++)
        records.push({
          key: columns.keyString(i),
          value: columns.valueString(i),
          headers: columns.headers(i).map(([name, value]) => [name, String(value)] as const),
        });
    }
    await reader.close();
  }
  return records;
}
