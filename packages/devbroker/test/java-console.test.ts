import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { javaConsoleConsumer, javaConsoleProducer } from '../../../test/brokers/java-console.ts';
import { kafkaJars } from '../../../test/brokers/kafka-jars.ts';
import { type DevBroker, startDevBroker } from '../src/index.ts';
import { clientOf, closeAfterEach } from './fault-kit.ts';

closeAfterEach();

const jars = await kafkaJars();
const suite = jars.ok ? describe : describe.skip;
const why = jars.ok ? '' : ` (skipped: ${jars.reason})`;

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;

let broker: DevBroker;

beforeAll(async () => {
  broker = await startDevBroker({ nodes: 2 });
});

afterAll(async () => {
  await broker.close();
});

suite(`Java’s console tools against the embedded broker${why}`, () => {
  it('read what they wrote, with every codec', async () => {
    broker.createTopic('java', { partitions: 2 });
    const linesOf = (codec: string) =>
      Array.from({ length: 300 }, (_, i) => `${codec}${i}:größe ${i} ${'x'.repeat(i % 50)}`);
    for (const compression of CODECS) {
      await javaConsoleProducer({
        brokers: broker.brokers,
        topic: 'java',
        lines: linesOf(compression),
        compression,
        reader: { 'parse.key': 'true', 'key.separator': ':' },
      });
    }
    const read = await javaConsoleConsumer({
      brokers: broker.brokers,
      topic: 'java',
      maxMessages: 300 * CODECS.length,
      group: 'java-group',
      formatter: { 'print.key': 'true', 'key.separator': ':' },
    });
    expect(read.toSorted()).toEqual(CODECS.flatMap(linesOf).toSorted());
  }, 120_000);

  it('see of our transactions what was committed, under read_committed', async () => {
    broker.createTopic('java-transactions');
    const { kafka } = clientOf(broker);
    const producer = kafka.transactionalProducer({ transactionalId: 'java', transactionTimeoutMs: 60_000 });
    await producer.init();
    for (const value of ['committed', 'aborted', 'committed too']) {
      producer.begin();
      await producer.send('java-transactions', [{ value, partition: 0 }]);
      await (value === 'aborted' ? producer.abort() : producer.commit());
    }
    const read = await javaConsoleConsumer({
      brokers: broker.brokers,
      topic: 'java-transactions',
      maxMessages: 2,
      consumer: { 'isolation.level': 'read_committed' },
    });
    expect(read).toEqual(['committed', 'committed too']);
  }, 120_000);
});
