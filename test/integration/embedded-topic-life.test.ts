import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConsumerStrategies, defineJob, LocationStrategies } from '@millrace/api';
import { until } from '../support/until.ts';
import { useDevBroker } from '../support/use-dev-broker.ts';
import { useEmbed } from '../support/use-embed.ts';

const kafka = useDevBroker({ nodes: 2 });
const embed = useEmbed();
let topics = 0;
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-topic-life-'));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A topic of one partition, and an application over it that may be started again and again. */
function application(options: Readonly<Record<string, unknown>> = {}) {
  const topic = `life-${topics++}`;
  const tp = { topic, partition: 0 };
  const seen: number[] = [];
  const job = (limits: { readonly batches?: number }) =>
    defineJob({ name: topic, batchInterval: '20ms', ...limits }, (ssc) => {
      const given = {
        brokers: kafka.broker.brokers,
        groupId: topic,
        startFrom: 'earliest',
        ...options,
      } as const;
      ssc.kafka
        .createDirectStream(LocationStrategies.PreferConsistent, ConsumerStrategies.Subscribe(topic, given))
        .map(({ offset }) => offset)
        .foreachRDD(async (rdd) => void seen.push(...(await rdd.collect())));
    });
  const start = async (limits = {}) => {
    const running = await embed(job(limits), { stateDir: directory });
    await running.start();
    return running;
  };
  kafka.broker.createTopic(topic, { partitions: 1 });
  return {
    tp,
    seen,
    start,
    runOneBatch: async (): Promise<void> => {
      const running = await start({ batches: 1 });
      await running.awaitTermination(END);
    },
    produce: async (records: number): Promise<void> => {
      const producer = kafka.client.producer();
      // Batches of one record: a truncation takes whole ones.
      for (let n = 0; n < records; n++) await producer.send(topic, [{ partition: 0, value: `${n}` }]);
      await producer.close();
    },
  };
}

const upTo = (until_: number, from = 0): number[] =>
  Array.from({ length: until_ - from }, (_, i) => from + i);
const END = { timeoutMs: 20_000 };

describe('a partition that an unclean election has truncated, and that was written again', () => {
  it('is noticed under a running application by its leader epoch: nothing of the other records is read', async () => {
    const { tp, seen, start, produce } = application();
    await produce(10);
    const running = await start();
    await until('all records', () => seen.length === 10);
    // Between two batches, as far as the application can tell.
    kafka.broker.truncate(tp, 4);
    await Promise.all([
      expect(running.awaitTermination(END)).rejects.toMatchObject({
        code: 'LOG_TRUNCATED',
        details: { topic: tp.topic, partition: 0, offset: 10 },
      }),
      produce(20),
    ]);
    expect(seen).toEqual(upTo(10));
  });

  it('is noticed by a restart, also of a stream that goes on without what retention deletes', async () => {
    const { tp, seen, start, produce } = application({ failOnDataLoss: false });
    await produce(10);
    const first = await start();
    await until('all records', () => seen.length === 10);
    await first.stop();
    kafka.broker.truncate(tp, 4);
    await produce(20);
    const second = await start();
    await expect(second.awaitTermination(END)).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
    expect(seen).toEqual(upTo(10));
  });
});

describe('an application stopped behind a batch of what a new leader has written', () => {
  /** Elected in good order: nothing is lost. */
  async function stoppedBehindNewLeader() {
    const all = application();
    await all.produce(10);
    await all.runOneBatch();
    kafka.broker.changeLeader(all.tp);
    await all.produce(5);
    await all.runOneBatch();
    expect(all.seen).toEqual(upTo(15));
    return all;
  }

  it('goes on: its partition was not truncated', async () => {
    const { seen, start, produce } = await stoppedBehindNewLeader();
    await produce(5);
    const again = await start();
    await until('the rest', () => seen.length === 20);
    await again.stop();
    expect(seen).toEqual(upTo(20));
  });

  it('notices that a record of that leader was lost, and another is in its place', async () => {
    const { tp, seen, start, produce } = await stoppedBehindNewLeader();
    kafka.broker.truncate(tp, 14);
    await produce(5);
    const again = await start();
    await expect(again.awaitTermination(END)).rejects.toMatchObject({ code: 'LOG_TRUNCATED' });
    expect(seen).toEqual(upTo(15));
  });
});

describe('offsets at the end of what can be counted', () => {
  it('are read exactly up to 2^53 − 1', async () => {
    const { tp, seen, start, produce } = application();
    const begin = Number.MAX_SAFE_INTEGER - 12;
    kafka.broker.beginAt(tp, begin);
    const running = await start();
    await produce(12);
    await until('all records', () => seen.length === 12);
    await running.stop();
    expect(seen).toEqual(upTo(Number.MAX_SAFE_INTEGER, begin));
    expect(kafka.broker.offsets(tp).logEndOffset).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('are refused beyond it, with a code, and nothing is read', async () => {
    const { tp, seen, start } = application();
    kafka.broker.beginAt(tp, 2 ** 53);
    const run = async (): Promise<void> => {
      const running = await start();
      await running.awaitTermination(END);
    };
    await expect(run()).rejects.toMatchObject({ code: 'OFFSET_UNSAFE' });
    expect(seen).toEqual([]);
  });
});
