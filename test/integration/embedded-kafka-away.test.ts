import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ConsumerStrategies, defineJob, LocationStrategies } from '@millrace/api';
import { resolveConfig } from '@millrace/common';
import { type DevBroker, startDevBroker } from '@millrace/devbroker';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient } from '@millrace/kafka';
import { type ApplicationEvent, embed } from '@millrace/local';
import { until } from '../support/until.ts';

const AWAY_MS = 4_000;
const INTERVAL_MS = 50;
const PER_BATCH = 100;

let broker: DevBroker;
let client: KafkaClient;

beforeAll(async () => {
  broker = await startDevBroker({ nodes: 3 });
  client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: broker.brokers }, 'test'));
});

afterAll(async () => {
  await client.close();
  await broker.close();
});

it('waits while all brokers are away, and goes on in bounded batches, one at a time, without losing or repeating a record', async () => {
  const topic = 'away';
  broker.createTopic(topic, { partitions: 3 });
  const seen: string[] = [];
  const events: ApplicationEvent[] = [];
  const job = defineJob({ name: topic, batchInterval: `${INTERVAL_MS}ms` }, (ssc) => {
    const options = {
      brokers: broker.brokers,
      groupId: topic,
      startFrom: 'earliest',
      maxRecordsPerBatch: PER_BATCH,
    } as const;
    ssc.kafka
      .createDirectStream(LocationStrategies.PreferConsistent, ConsumerStrategies.Subscribe(topic, options))
      .map(({ partition, offset }) => `${partition}/${offset}`)
      .foreachRDD(async (rdd) => void seen.push(...(await rdd.collect())));
  });
  const producer = client.producer();
  const produce = (records: number): Promise<unknown> =>
    producer.send(
      topic,
      Array.from({ length: records }, (_, i) => ({ partition: i % 3, value: 'x' })),
    );
  const application = await embed(job, { onEvent: (event) => events.push(event) });
  const summaries = () => events.flatMap((event) => (event.kind === 'batch-completed' ? [event.batch] : []));
  await application.start();
  await produce(30);
  await until('the first records', () => seen.length === 30);
  await produce(300);
  const away = broker.faults.inject({ action: { kind: 'close' }, times: Number.MAX_SAFE_INTEGER });
  broker.closeConnections();
  await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
  const before = summaries().length;
  away.remove();
  const backAt = performance.now();
  await until('all records', () => seen.length === 330);
  const ms = Math.round(performance.now() - backAt);
  process.stderr.write(`all records ${ms} ms after Kafka was back\n`);
  expect(ms).toBeLessThan(10_000);
  await application.stop();
  expect(new Set(seen).size).toBe(330);
  const after = summaries().slice(before);
  expect(Math.max(...after.map(({ records }) => records))).toBeLessThanOrEqual(PER_BATCH);
  // One batch stands for all intervals that were missed, and none stands for those of another: a busy machine may miss more behind it.
  expect(Math.max(...after.map(({ coalescedIntervals }) => coalescedIntervals))).toBeGreaterThan(20);
  const all = summaries();
  for (const [index, { batchTime, coalescedIntervals }] of all.entries()) {
    const last = all[index - 1];
    if (last) expect(batchTime - last.batchTime).toBe((coalescedIntervals + 1) * INTERVAL_MS);
  }
});
