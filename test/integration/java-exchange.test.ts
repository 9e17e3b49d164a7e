import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resolveConfig } from '@millrace/common';
import { startDevBroker } from '@millrace/devbroker';
import {
  COMPRESSIONS,
  connectKafka,
  KAFKA_OPTIONS,
  type KafkaClient,
  topicPartitionKey,
} from '@millrace/kafka';
import { javaConsoleConsumer, javaConsoleProducer } from '../brokers/java-console.ts';
import { kafkaJars } from '../brokers/kafka-jars.ts';
import { kafkaUnderTest } from '../brokers/kafka-under-test.ts';

const jars = await kafkaJars();
const suite = jars.ok ? describe : describe.skip;
const why = jars.ok ? '' : ` (skipped: ${jars.reason})`;
const TIMEOUT_MS = 180_000;

const KINDS = [
  ['the broker under test', kafkaUnderTest],
  [
    'the embedded broker',
    async () => {
      const broker = await startDevBroker();
      return { brokers: broker.brokers, stop: () => broker.close() };
    },
  ],
] as const;

const linesOf = (codec: string): string[] =>
  Array.from({ length: 50 }, (_, i) => `${codec}${i}:größe ${i} ${'👋'.repeat(i % 7)}`);

suite.each(KINDS)(`Java’s console tools and our client on %s${why}`, (_name, start) => {
  let kafka: { brokers: string; stop(): Promise<void> };
  let client: KafkaClient;

  beforeAll(async () => {
    kafka = await start();
    client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: kafka.brokers }, 'test'));
  }, TIMEOUT_MS);

  afterAll(async () => {
    await client.close();
    await kafka.stop();
  }, TIMEOUT_MS);

  it(
    'Java reads what our producer wrote, with every codec',
    async () => {
      const topic = `ours-${randomUUID()}`;
      await client.createTopic(topic, { partitions: 2 });
      const producer = client.producer();
      for (const compression of COMPRESSIONS) {
        const records = linesOf(compression).map((line) => {
          const [key = '', value = ''] = line.split(':');
          return { key, value, headers: [['h', 'v']] as const };
        });
        await producer.send(topic, records, { compression });
      }
      await producer.close();
      const read = await javaConsoleConsumer({
        brokers: kafka.brokers,
        topic,
        maxMessages: 50 * COMPRESSIONS.length,
        formatter: { 'print.key': 'true', 'key.separator': ':', 'print.headers': 'true' },
      });
      const expected = COMPRESSIONS.flatMap(linesOf).map((line) => `h:v:${line}`);
      expect(read.map((line) => line.replace('\t', ':')).toSorted()).toEqual(expected.toSorted());
      await client.deleteTopic(topic);
    },
    TIMEOUT_MS,
  );

  it(
    'our reader reads what Java wrote, with every codec',
    async () => {
      const topic = `java-${randomUUID()}`;
      await client.createTopic(topic, { partitions: 1 });
      for (const compression of COMPRESSIONS) {
        await javaConsoleProducer({
          brokers: kafka.brokers,
          topic,
          lines: linesOf(compression),
          compression,
          reader: { 'parse.key': 'true', 'key.separator': ':' },
        });
      }
      const tp = { topic, partition: 0 };
      const untilOffset = (await client.listOffsets([tp], 'latest')).get(topicPartitionKey(tp))?.offset ?? 0;
      const reader = client.reader(tp);
      const read: string[] = [];
      for await (const columns of reader.read({ ...tp, fromOffset: 0, untilOffset })) {
        for (let i = 0; i < columns.n; i++) read.push(`${columns.keyString(i)}:${columns.valueString(i)}`);
      }
      await reader.close();
      expect(read).toEqual(COMPRESSIONS.flatMap(linesOf));
      await client.deleteTopic(topic);
    },
    TIMEOUT_MS,
  );
});
