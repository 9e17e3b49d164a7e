import { expect, it } from '@jest/globals';
import { ConsumerStrategies, defineJob, LocationStrategies } from '@millrace/api';
import type { ApplicationEvent } from '@millrace/local';
import { until } from '../support/until.ts';
import { useDevBroker } from '../support/use-dev-broker.ts';
import { useEmbed } from '../support/use-embed.ts';

const AWAY_MS = 4_000;
const INTERVAL_MS = 50;
const PER_BATCH = 100;

const kafka = useDevBroker({ nodes: 3 });
const embed = useEmbed();

/** Over a new topic. */
async function applicationOf(topic: string, partitions: number, options: Readonly<Record<string, unknown>>) {
  kafka.broker.createTopic(topic, { partitions });
  /** "partition/offset" of each record. */
  const seen: string[] = [];
  const events: ApplicationEvent[] = [];
  const job = defineJob({ name: topic, batchInterval: `${INTERVAL_MS}ms` }, (ssc) => {
    const { brokers } = kafka.broker;
    const given = { brokers, groupId: topic, startFrom: 'earliest', ...options } as const;
    ssc.kafka
      .createDirectStream(LocationStrategies.PreferConsistent, ConsumerStrategies.Subscribe(topic, given))
      .map(({ partition, offset }) => `${partition}/${offset}`)
      .foreachRDD(async (rdd) => void seen.push(...(await rdd.collect())));
  });
  const application = await embed(job, { onEvent: (event) => events.push(event) });
  return {
    application,
    seen,
    batches: () => events.flatMap((event) => (event.kind === 'batch-completed' ? [event.batch] : [])),
    notices: () => events.flatMap((event) => (event.kind === 'notice' ? [event.text] : [])),
  };
}

it('waits while all brokers are away, and goes on in bounded batches, one at a time, without losing or repeating a record', async () => {
  const topic = 'away';
  const { application, seen, batches } = await applicationOf(topic, 3, { maxRecordsPerBatch: PER_BATCH });
  const producer = kafka.client.producer();
  const produce = (records: number): Promise<unknown> =>
    producer.send(
      topic,
      Array.from({ length: records }, (_, i) => ({ partition: i % 3, value: 'x' })),
    );
  await application.start();
  await produce(30);
  await until('the first records', () => seen.length === 30);
  await produce(300);
  const away = kafka.broker.faults.inject({ action: { kind: 'close' }, times: Number.MAX_SAFE_INTEGER });
  kafka.broker.closeConnections();
  await new Promise((resolve) => setTimeout(resolve, AWAY_MS));
  const before = batches().length;
  away.remove();
  const backAt = performance.now();
  await until('all records', () => seen.length === 330);
  const ms = Math.round(performance.now() - backAt);
  process.stderr.write(`all records ${ms} ms after Kafka was back\n`);
  expect(ms).toBeLessThan(10_000);
  await application.stop();
  expect(new Set(seen).size).toBe(330);
  const after = batches().slice(before);
  expect(Math.max(...after.map(({ records }) => records))).toBeLessThanOrEqual(PER_BATCH);
  // One batch stands for all intervals that were missed, and none stands for those of another: a busy machine may miss more behind it.
  expect(Math.max(...after.map(({ coalescedIntervals }) => coalescedIntervals))).toBeGreaterThan(20);
  const all = batches();
  for (const [index, { batchTime, coalescedIntervals }] of all.entries()) {
    const last = all[index - 1];
    if (last) expect(batchTime - last.batchTime).toBe((coalescedIntervals + 1) * INTERVAL_MS);
  }
});

/** An application that is in the middle of its first batch of 100 records, 20 of them read, and whose brokers have all gone. */
async function inMidRead(topic: string) {
  // One record a fetch.
  const { application, seen, batches, notices } = await applicationOf(topic, 1, {
    fetchBytesMax: 1,
    connectionTimeoutMs: 300,
    fetchTimeoutMs: 600,
  });
  for (let n = 0; n < 100; n++) await kafka.client.producer().send(topic, [{ partition: 0, value: `${n}` }]);
  const gone = Number.MAX_SAFE_INTEGER;
  const fetches = kafka.broker.faults.inject({
    api: 'Fetch',
    after: 20,
    times: gone,
    action: { kind: 'close' },
  });
  await application.start();
  await until('a fetch that fails', () => fetches.hits > 0);
  const all = kafka.broker.faults.inject({ action: { kind: 'close' }, times: gone });
  kafka.broker.closeConnections();
  await until('a word about it', () => notices().some((text) => text.startsWith('tasks wait for Kafka')));
  const comeBack = (): void => {
    fetches.remove();
    all.remove();
  };
  return { application, seen, batches, notices, comeBack };
}

it('waits in the middle of a read for longer than its attempts take, and reads each record once', async () => {
  const { application, seen, batches, notices, comeBack } = await inMidRead('mid-read');
  try {
    await new Promise((resolve) => setTimeout(resolve, 2 * AWAY_MS));
  } finally {
    comeBack();
  }
  await until('all records', () => seen.length === 100);
  await application.stop();
  expect(seen).toEqual(Array.from({ length: 100 }, (_, n) => `0/${n}`));
  expect(notices().filter((text) => text.startsWith('tasks wait for Kafka'))).toHaveLength(1);
  expect(notices()).toContain('tasks reach Kafka again');
  expect(batches()[0]?.failedAttempts).toBeGreaterThanOrEqual(4);
});

it('ends at once when it is stopped while a read waits', async () => {
  const { application, seen, comeBack } = await inMidRead('stopped-mid-read');
  try {
    const began = performance.now();
    await application.stop({ graceful: false });
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(seen).toEqual([]);
  } finally {
    comeBack();
  }
});
