// Dead letters of two executors, on a real Kafka, read by kafkajs.
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { endOf } from '../support/process-end.ts';
import { recordsOf } from '../support/topic-records.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { useTestCluster } from '../support/use-test-cluster.ts';

const TIMEOUT_MS = 180_000;
const PARTITIONS = 4;
const PER_PARTITION = 600;
/** Every fourth record is broken: no JSON, no value, or cut off. */
const brokenValue = (s: number): Buffer | null =>
  s % 3 === 0 ? null : s % 3 === 1 ? Buffer.from([0xff, 0x00, 0xfe, s % 256]) : Buffer.from(`{"s":${s}`);

/** What this file uses of it. */
interface KafkaJs {
  readonly logLevel: { readonly NOTHING: number };
  readonly Kafka: new (
    options: object,
  ) => {
    consumer(options: object): {
      connect(): Promise<void>;
      subscribe(options: object): Promise<void>;
      run(options: { eachMessage(payload: { readonly message: Message }): Promise<void> }): Promise<void>;
      disconnect(): Promise<void>;
    };
  };
}

interface Message {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly timestamp: string;
  readonly headers?: Readonly<Record<string, Buffer>>;
}

const kafka = useKafkaUnderTest();
const { Kafka, logLevel } = createRequire(new URL('../../packages/kafka/package.json', import.meta.url))(
  'kafkajs',
) as KafkaJs;
const cluster = useTestCluster(kafka, { executors: 2 });

interface Letter {
  readonly key: string;
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** All that a topic of one partition holds. */
async function read(topic: string, wanted: number): Promise<readonly Letter[]> {
  const consumer = new Kafka({ brokers: kafka.brokers.split(','), logLevel: logLevel.NOTHING }).consumer({
    groupId: `reader-${randomUUID()}`,
  });
  const letters: Letter[] = [];
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { key, value, timestamp, headers = {} } }) => {
        const texts = Object.entries(headers).map(([name, header]) => [name, String(header)]);
        letters.push({
          key: String(key),
          value,
          timestamp: Number(timestamp),
          headers: Object.fromEntries(texts) as Letter['headers'],
        });
      },
    });
    await until('all dead letters', () => letters.length >= wanted, 30_000);
    return letters;
  } finally {
    await consumer.disconnect();
  }
}

async function sizeOf(topic: string): Promise<number> {
  const ends = await kafka.client.listOffsets([{ topic, partition: 0 }], 'latest');
  return ends.get(`${topic}-0`)?.offset ?? 0;
}

describe('records that do not decode', () => {
  it(
    'are all in the dead-letter topic, as they were, though executors were killed while they wrote; the others go on',
    async () => {
      const [topic, out] = [await kafka.topic('dead-in', PARTITIONS), await kafka.topic('dead-out', 1)];
      const letters = await kafka.topic('dead-letters', 1);
      const records = Array.from({ length: PARTITIONS * PER_PARTITION }, (_, i) => {
        const [p, s] = [i % PARTITIONS, Math.floor(i / PARTITIONS)];
        const value = s % 4 === 0 ? brokenValue(s) : JSON.stringify({ p, s });
        return {
          partition: p,
          key: `${p}/${s}`,
          value,
          timestamp: 1_790_000_000_000 + i,
          headers: [['trace', `${i}`] as const],
        };
      });
      await kafka.client.producer().send(topic, records);
      const broken = records.filter(({ key }) => Number(key.split('/')[1]) % 4 === 0);
      const name = `dead-${randomUUID().slice(0, 8)}`;
      const job = cluster.submit('dead-letters-job', {
        DEAD_NAME: name,
        DEAD_TOPIC: topic,
        DEAD_LETTERS: letters,
        DEAD_OUT: out,
      });
      for (const least of [5, 200]) {
        await until('dead letters', async () => (await sizeOf(letters)) > least, 60_000);
        const [victim] = cluster.executors.splice(0, 1);
        await cluster.kill(victim as ChildCommand);
        await cluster.startExecutor();
      }
      const good = records.length - broken.length;
      const written = async (): Promise<number> =>
        new Set((await recordsOf(kafka.client, out, 1)).map(({ value }) => value)).size;
      await until('all others', async () => (await written()) >= good, 90_000);
      await until('an idle batch', () => job.batches.at(-1)?.records === 0, 30_000);
      await cluster.cli(['stop', name, '--drain', '--driver', cluster.address]);
      expect({ code: await endOf(job), errors: job.errors }).toEqual({ code: 0, errors: '[]' });

      const found = await read(letters, await sizeOf(letters));
      const byOrigin = new Map(
        found.map((letter) => [
          `${letter.headers['millrace.partition']}/${letter.headers['millrace.offset']}`,
          letter,
        ]),
      );
      expect([...byOrigin.keys()].toSorted()).toEqual(broken.map(({ key }) => key).toSorted());
      for (const { key, value, timestamp, headers, partition } of broken) {
        const letter = byOrigin.get(key) as Letter;
        expect({ ...letter, value: letter.value?.toString('hex') }).toEqual({
          key,
          value: (value as Buffer | null)?.toString('hex'),
          timestamp,
          headers: {
            trace: headers[0]?.[1],
            'millrace.error.code': 'VALUE_DECODE',
            'millrace.error.part': 'value',
            'millrace.error.message': expect.stringContaining(`of ${topic}-${partition} does not decode`),
            'millrace.application': name,
            'millrace.topic': topic,
            'millrace.partition': String(partition),
            'millrace.offset': key.split('/')[1],
            'millrace.timestamp': String(timestamp),
            'millrace.batch-time': expect.stringMatching(/^\d{13}$/),
          },
        });
      }
      // Only tasks that were killed have written twice.
      process.stderr.write(`dead letters: ${broken.length} records, ${found.length} written\n`);
      expect(found.length).toBeLessThan(1.5 * broken.length);
      const events = JSON.stringify(job.events);
      expect(events).toContain(`dead letters of topics ${topic} to topic \\"${letters}\\": at-least-once`);
      // Counted once, whatever was written twice.
      const counted = job.events.flatMap(
        (event) =>
          (event['batch'] as { accumulators?: { name: string; value: number }[] })?.accumulators ?? [],
      );
      expect(counted.at(-1)).toMatchObject({ name: `dead letters (topics ${topic})`, value: broken.length });
      expect(await cluster.status(name)).toMatchObject({ deadLetters: broken.length, skippedUndecodable: 0 });
    },
    TIMEOUT_MS,
  );

  it(
    'refuse a job whose dead-letter topic does not exist, or is what it reads',
    async () => {
      const topic = await kafka.topic('dead-in', 1);
      const submit = async (letters: string) => {
        const env = {
          DEAD_NAME: `dead-${randomUUID().slice(0, 8)}`,
          DEAD_TOPIC: topic,
          DEAD_LETTERS: letters,
          DEAD_OUT: topic,
        };
        const job = cluster.submit('dead-letters-job', env);
        return { code: await endOf(job), said: `${job.errors}${job.stderr}` };
      };
      const missing = await submit('dead-nowhere');
      expect(missing.code).not.toBe(0);
      expect(missing.said).toContain('UNKNOWN_TOPIC');
      const itself = await submit(topic);
      expect(itself.code).not.toBe(0);
      expect(itself.said).toContain('its own dead-letter topic');
    },
    TIMEOUT_MS,
  );
});
