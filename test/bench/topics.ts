import { seededRandom } from '@millrace/common';
import { type KafkaClient, type ProduceRecord, topicPartitionKey } from '@millrace/kafka';

const CHUNK = 20_000;
export const PARTITIONS = 4;

/** JSON of about 100 bytes: user (of 100,000), page (of 1,000), ms, ts, padding. The same as the Spark benchmarks read. */
function jsonValue(random: () => number, ts: number): string {
  const head = `{"user":"u${Math.floor(random() * 100_000)}","page":"/p/${Math.floor(random() * 1000)}","ms":${Math.floor(random() * 1000)},"ts":${ts},"pad":"`;
  return `${head.padEnd(98, 'abcdefghijklmnopqrstuvwxyz')}"}`;
}

/** Ten words of 3 to 10 letters, of 10,000 words. The same as the Spark benchmarks read, but for the letters. */
function lines(random: () => number): () => string {
  const below = (n: number): number => Math.floor(random() * n);
  const letter = (): string => String.fromCharCode(97 + below(26));
  const words = Array.from({ length: 10_000 }, () => Array.from({ length: 3 + below(8) }, letter).join(''));
  return () => Array.from({ length: 10 }, () => words[below(words.length)]).join(' ');
}

/** The topic with `records` JSON records in 4 partitions, loaded when it is not there yet. Its name tells its content, so it is kept. */
export async function jsonTopic(client: KafkaClient, records: number, say: Say): Promise<string> {
  const random = seededRandom(42);
  const next = (): number => random.next();
  return loaded(client, `millrace-bench-json-${records}`, records, say, (i) => ({
    partition: i % PARTITIONS,
    key: `u${i % 100_000}`,
    value: jsonValue(next, 1_700_000_000_000 + i),
  }));
}

/** As jsonTopic, of lines of ten words. */
export async function linesTopic(client: KafkaClient, records: number, say: Say): Promise<string> {
  const random = seededRandom(7);
  const line = lines(() => random.next());
  return loaded(client, `millrace-bench-lines-${records}`, records, say, (i) => ({
    partition: i % PARTITIONS,
    value: line(),
  }));
}

type Say = (text: string) => void;

async function loaded(
  client: KafkaClient,
  topic: string,
  records: number,
  say: Say,
  record: (index: number) => ProduceRecord,
): Promise<string> {
  const known = (await client.topics()).find((candidate) => candidate.topic === topic);
  if (known) {
    if ((await countRecords(client, topic)) === records) return topic;
    await client.deleteTopic(topic);
  }
  await client.createTopic(topic, { partitions: PARTITIONS });
  say(`loading ${records} records into ${topic} …`);
  const producer = client.producer();
  for (let done = 0; done < records; done += CHUNK) {
    const length = Math.min(CHUNK, records - done);
    const chunk = Array.from({ length }, (_, i) => record(done + i));
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
