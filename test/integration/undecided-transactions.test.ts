// The only broker is shut down while transactions are committed: its coordinator counts some of them as ended and tells no partition of it.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { resolveConfig } from '@millrace/common';
import {
  connectKafka,
  KAFKA_OPTIONS,
  type KafkaClient,
  type ProgressPlace,
  progressOffset,
  progressPlace,
  readProgress,
  type TransactionalProducer,
} from '@millrace/kafka';
import { ensureProgressTopic } from '../../packages/kafka/src/transaction/progress-store.ts';
import { type JavaKafka, startJavaKafka } from '../brokers/java-kafka.ts';
import { kafkaJars } from '../brokers/kafka-jars.ts';
import { recordsOf } from '../support/topic-records.ts';

const TIMEOUT_MS = 240_000;
const IDS = 48;
const PARTITIONS = 4;
/** Between two commits: together they last longer than the shutdown does, of which some 30 ms count. */
const EVERY_MS = 4;
const PREFIX = `millrace/undecided-${randomUUID().slice(0, 8)}/out`;
const BATCH = { epoch: 1, planHash: 'plan', log: 'log' };
const FIRST = 1_000;
const SECOND = 2_000;

const jars = await kafkaJars();
const suite = jars.ok ? describe : describe.skip;
const why = jars.ok ? '' : ` (skipped: ${jars.reason})`;

let broker: JavaKafka | undefined;
let client: KafkaClient | undefined;

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('there is no Kafka');
  return part;
}

function producerOf({ transactionalId }: ProgressPlace): TransactionalProducer {
  return started(client).transactionalProducer({ transactionalId, transactionTimeoutMs: 60_000 });
}

/** A record that says so, and the progress that tells of it. */
async function write(
  producer: TransactionalProducer,
  task: number,
  topic: string,
  batchTime: number,
): Promise<void> {
  const place = progressPlace(PREFIX, task);
  producer.begin();
  await producer.send(topic, [{ value: `${batchTime}/${task}`, partition: task % PARTITIONS }]);
  await producer.sendOffsets(place.groupId, [progressOffset(place, { ...BATCH, batchTime })]);
}

suite(`transactions that Kafka has ended${why}`, () => {
  beforeAll(async () => {
    broker = await startJavaKafka({ heapMb: 384 });
    const given = { brokers: broker.brokers, requestTimeoutMs: 60_000 };
    client = connectKafka(resolveConfig(KAFKA_OPTIONS, given, 'test'));
  }, TIMEOUT_MS);

  afterAll(async () => {
    await client?.close();
    await broker?.stop();
  });

  it(
    'are decided as they were ended, also where their markers were lost in a shutdown',
    async () => {
      const kafka = started(client);
      await ensureProgressTopic(kafka);
      const topic = `undecided-${randomUUID()}`;
      await kafka.createTopic(topic, { partitions: PARTITIONS });
      const tasks = Array.from({ length: IDS }, (_, task) => task);
      const producers: TransactionalProducer[] = [];
      for (const task of tasks) {
        const producer = producerOf(progressPlace(PREFIX, task));
        await producer.init();
        await write(producer, task, topic, FIRST);
        producers.push(producer);
      }

      const down = started(broker).shutDown();
      const acknowledged = new Set<number>();
      const commits: Promise<unknown>[] = [];
      for (const [task, producer] of producers.entries()) {
        commits.push(
          producer.commit().then(
            () => acknowledged.add(task),
            () => undefined,
          ),
        );
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
      await down;
      await started(broker).start();
      await Promise.all(commits);

      let endedAgain = 0;
      const there = new Set<number>();
      for (const task of tasks) {
        const place = progressPlace(PREFIX, task);
        const producer = producerOf(place);
        await producer.init();
        const counting = {
          endAgain: async () => {
            endedAgain += 1;
            return producer.endAgain();
          },
        };
        if ((await readProgress(kafka, counting, place, 20_000))?.batchTime === FIRST) there.add(task);
        await write(producer, task, topic, SECOND);
        await producer.commit();
      }
      const visible = (await recordsOf(kafka, topic, PARTITIONS)).map(({ value }) => value ?? '');
      process.stderr.write(
        `${acknowledged.size} of ${IDS} commits were acknowledged, ${endedAgain} transactions undecided after the start, ${there.size} committed\n`,
      );
      expect(acknowledged.size).toBeGreaterThan(0);
      // What was acknowledged is there, and what is there is what the progress tells of.
      expect([...acknowledged].filter((task) => !there.has(task))).toEqual([]);
      const wanted = [
        ...[...there].map((task) => `${FIRST}/${task}`),
        ...tasks.map((task) => `${SECOND}/${task}`),
      ];
      expect(visible.toSorted()).toEqual(wanted.toSorted());
    },
    TIMEOUT_MS,
  );
});
