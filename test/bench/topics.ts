import { seededRandom } from '@millrace/common';
import { type KafkaClient, type ProduceRecord, topicPartitionKey } from '@millrace/kafka';

const CHUNK = 20_000;
export const PARTITIONS = 4;

/** JSON of about 100 bytes: user (of 100,000), page (of 1,000), ms, ts, padding. The same as the Spark benchmarks read. */
function jsonValue(random: () => number, ts: number): string {
  const head = `{"user":"u${Math.floor(random() * 100_000)}","page":"/p/${Math.floor(random() * 1000)}","ms":${Math.floor(random() * 1000)},"ts":${ts},"pad":"`;
  return `${head.padEnd(98, 'abcdefghijklmnopqrstuvwxyz')}"}`;
}

/** The topic with `records` JSON records in 4 partitions, loaded when it is not there yet. Its name tells its content, so it is kept. */
export async function jsonTopic(
  client: KafkaClient,
  records: number,
  say: (text: string) => void,
): Promise<string> {
  const topic = `millrace-bench-json-${records}`;
  const known = (await client.topics()).find((candidate) => candidate.topic === topic);
  if (known) {
    if ((await countRecords(client, topic)) === records) return topic;
    await client.deleteTopic(topic);
  }
  await client.createTopic(topic, { partitions: PARTITIONS });
  say(`loading ${records} records into ${topic} …`);
  const random = seededRandom(42);
  const next = (): number => random.next();
  const producer = client.producer();
  for (let done = 0; done < records; done += CHUNK) {
    const chunk = Array.from(
      { length: Math.min(CHUNK, records - done) },
      (_, i): ProduceRecord => ({
        partition: (done + i) % PARTITIONS,
        key: `u${(done + i) % 100_000}`,
        value: jsonValue(next, 1_700_000_000_000 + done + i),
      }),
    );
    await producer.send(topic, chunk, { acks: 1 });
  }
  await producer.close();
  return topic;
}

export async function partitionsOf(
  client: KafkaClient,
  topic: string,
): Promise<{ topic: string; partition: number }[]> {
  const [metadata] = await client.topics([topic]);
  return (metadata?.partitions ?? []).map(({ partition }) => ({ topic, partition }));
}

/** Offset span of a topic: its records, when it has no gaps. */
export async function countRecords(client: KafkaClient, topic: string): Promise<number> {
  const partitions = await partitionsOf(client, topic);
  const [low, high] = await Promise.all([
    client.listOffsets(partitions, 'earliest'),
    client.listOffsets(partitions, 'latest'),
  ]);
  return partitions.reduce((sum, tp) => {
    const key = topicPartitionKey(tp);
    return sum + (high.get(key)?.offset ?? 0) - (low.get(key)?.offset ?? 0);
  }, 0);
}
