import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsumerStrategies, defineJob, LocationStrategies } from '@millrace/api';
import type { KafkaClient } from '@millrace/kafka';
import { embed } from '@millrace/local';
import { figure } from '../support/figure.ts';
import { recordsOf } from '../support/topic-records.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 90_000;
/** Offsets a batch. */
const BATCH = 10;

const kafka = useKafkaUnderTest();
/** The embedded broker keeps what compaction would drop. */
const hasCompaction = process.env['KAFKA_TEST_KIND'] !== 'embedded';
const withCompaction = hasCompaction ? it : it.skip;

/** What each batch of a stream over [0, `end`) read, by its first offset. */
type BatchesRead = ReadonlyMap<number, readonly number[]>;

async function batchesOf(topic: string, end: number): Promise<BatchesRead> {
  const read = new Map<number, number[]>();
  const config = { name: topic, batchInterval: '20ms', batches: Math.ceil(end / BATCH) } as const;
  const job = defineJob(config, (ssc) => {
    const options = {
      brokers: kafka.brokers,
      groupId: topic,
      startFrom: 'earliest',
      maxRecordsPerBatch: BATCH,
    } as const;
    ssc.kafka
      .createDirectStream(LocationStrategies.PreferConsistent, ConsumerStrategies.Subscribe(topic, options))
      .map(({ offset }) => offset)
      .foreachRDD(async (rdd) => {
        const [range] = rdd.offsetRanges;
        const offsets = await rdd.collect();
        if (range && range.untilOffset - range.fromOffset === BATCH) read.set(range.fromOffset, offsets);
      });
  });
  const application = await embed(job);
  await application.start();
  await application.awaitTermination({ timeoutMs: TIMEOUT_MS });
  return read;
}

/** Offsets [from, from + BATCH) but for those that are `missing`. */
const without = (from: number, ...missing: readonly number[]): number[] =>
  Array.from({ length: BATCH }, (_, i) => from + i).filter((offset) => !missing.includes(offset));

/** Segments of their own: records that a later one of their key replaces go as soon as the cleaner comes by. */
const COMPACTED = {
  'cleanup.policy': 'compact',
  'segment.ms': '1000',
  'min.cleanable.dirty.ratio': '0.001',
  'min.compaction.lag.ms': '0',
  'delete.retention.ms': '0',
};

async function compactedTopic(client: KafkaClient): Promise<string> {
  const topic = `compacted-${crypto.randomUUID()}`;
  await client.createTopic(topic, { partitions: 1, config: COMPACTED });
  kafka.atEnd(() => client.deleteTopic(topic));
  const producer = client.producer();
  const gone = new Set([...without(0), 10, 25, 39]);
  const send = async (offsets: readonly number[], timestamp: number): Promise<void> => {
    for (const offset of offsets)
      await producer.send(topic, [
        { partition: 0, key: gone.has(offset) ? 'replaced' : `k${offset}`, value: `${offset}`, timestamp },
      ]);
  };
  const now = Date.now();
  await send(
    [0, 10, 20, 30, 40].flatMap((from) => without(from)),
    now - 60_000,
  );
  gone.add(50);
  await send([50], now - 60_000);
  // The first record of a new segment: the one before can be cleaned.
  await send(without(50, 50), now);
  await producer.close();
  await until(
    'compaction',
    async () => (await recordsOf(client, topic, 1)).length === 60 - 13,
    TIMEOUT_MS,
    200,
  );
  return topic;
}

/** As a transactional producer leaves it: aborted records and the markers of ends take offsets. */
async function transactionalTopic(client: KafkaClient): Promise<string> {
  const topic = await kafka.topic('transactional', 1);
  const producer = client.transactionalProducer({ transactionalId: topic, transactionTimeoutMs: 60_000 });
  await producer.init();
  const records = (n: number) =>
    Array.from({ length: n }, (_, i) => ({ partition: 0, key: 'k', value: `${i}` }));
  const transaction = async (n: number, commits: boolean): Promise<void> => {
    producer.begin();
    await producer.send(topic, records(n));
    await (commits ? producer.commit() : producer.abort());
  };
  const plain = client.producer();
  const committed = (n: number): Promise<unknown> => plain.send(topic, records(n));
  const end = async (wanted: number): Promise<void> => {
    await until(`offset ${wanted}`, async () => {
      const listed = await client.listOffsets([{ topic, partition: 0 }], 'latest', 'read_committed');
      return [...listed.values()][0]?.offset === wanted;
    });
  };
  // [0, 10): nothing that is committed.
  await transaction(9, false);
  await end(10);
  // [10, 20): the first two are not there, [20, 30): 24 and 25, [30, 40): 38 and 39.
  await transaction(1, false);
  await end(12);
  await committed(8);
  await committed(4);
  await transaction(1, false);
  await end(26);
  await committed(4);
  await committed(8);
  await transaction(1, false);
  await end(40);
  // [40, 50): ends with the marker of what it holds; [50, 60): begins with the marker of what is before it.
  await transaction(9, true);
  await end(50);
  await transaction(10, true);
  await end(61);
  await committed(9);
  await plain.close();
  return topic;
}

/** Ranges that were read as they should, of what. */
const right = new Map<string, number>();
const count = (what: string): void => void right.set(what, (right.get(what) ?? 0) + 1);
afterAll(() => {
  const read = [...right].map(([what, ranges]) => `${ranges} ranges of a ${what} topic`);
  figure(34, `${read.join(', ')}: exactly the committed records, no range stuck`);
});

type Case = readonly [what: string, from: number, missing: readonly number[]];

describe(`a stream over a compacted topic${hasCompaction ? '' : ' (skipped: the embedded broker compacts nothing)'}`, () => {
  let read: BatchesRead = new Map();
  beforeAll(async () => {
    if (hasCompaction) read = await batchesOf(await compactedTopic(kafka.client), 60);
  }, 2 * TIMEOUT_MS);

  withCompaction.each<Case>([
    ['the whole range is empty', 0, without(0)],
    ['the first offset is missing', 10, [10]],
    ['one in the middle is missing', 20, [25]],
    ['the last one is missing', 30, [39]],
    ['nothing is missing', 40, []],
  ])('reads what is there when %s', (_, from, missing) => {
    expect(read.get(from)).toEqual(without(from, ...missing));
    count('compacted');
  });
});

describe('a stream over a transactional topic', () => {
  let read: BatchesRead = new Map();
  beforeAll(async () => {
    read = await batchesOf(await transactionalTopic(kafka.client), 70);
  }, TIMEOUT_MS);

  it.each<Case>([
    ['all records of the range were aborted', 0, without(0)],
    ['the first one was', 10, [10, 11]],
    ['one in the middle was', 20, [24, 25]],
    ['the last one was', 30, [38, 39]],
    ['the range ends with a marker', 40, [49]],
    ['a transaction ends behind the range', 50, []],
    ['the range begins with a marker', 60, [60]],
  ])('reads what is committed when %s', (_, from, missing) => {
    expect(read.get(from)).toEqual(without(from, ...missing));
    count('transactional');
  });
});
