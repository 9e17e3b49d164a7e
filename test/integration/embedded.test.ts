import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import {
  type Accumulator,
  ConsumerStrategies,
  defineJob,
  json,
  LocationStrategies,
  type OffsetRange,
  type StreamingContext,
  TaskContext,
} from '@millrace/api';
import { type ApplicationEvent, embed } from '@millrace/local';
import { useDevBroker } from '../support/use-dev-broker.ts';

interface Click {
  readonly n: number;
}

const kafka = useDevBroker();
let topics = 0;

async function topicWith(counts: readonly number[]): Promise<string> {
  const topic = `embedded-${topics++}`;
  await kafka.client.createTopic(topic, { partitions: counts.length });
  await produce(topic, counts, 0);
  return topic;
}

async function produce(topic: string, counts: readonly number[], first: number): Promise<void> {
  const producer = kafka.client.producer();
  const records = counts.flatMap((count, partition) =>
    Array.from({ length: count }, (_, i) => ({
      partition,
      key: `k${partition}`,
      value: JSON.stringify({ n: first + i }),
    })),
  );
  await producer.send(topic, records);
  await producer.close();
}

const clicks = (ssc: StreamingContext, topic: string, options: Readonly<Record<string, unknown>> = {}) =>
  ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(topic, {
      brokers: kafka.broker.brokers,
      groupId: 'embedded',
      startFrom: 'earliest',
      value: json<Click>(),
      ...options,
    }),
  );

const CONFIG = { name: 'embedded', batchInterval: '20ms', batches: 1 } as const;
const DEADLINE = { timeoutMs: 30_000 };

describe('an embedded application', () => {
  it('counts the records of a batch once, however many outputs and tasks read them', async () => {
    const topic = await topicWith([30, 12]);
    const recordsOf = async (build: (ssc: StreamingContext) => void): Promise<readonly number[]> => {
      const records: number[] = [];
      const onEvent = (event: ApplicationEvent) =>
        event.kind === 'batch-completed' ? records.push(event.batch.records) : undefined;
      const application = await embed(defineJob(CONFIG, build), { onEvent });
      await application.start();
      await application.awaitTermination(DEADLINE);
      return records;
    };
    const twice = await recordsOf((ssc) => {
      const stream = clicks(ssc, topic);
      // The first reads some of it only.
      stream.foreachRDD(async (rdd) => void (await rdd.take(1)));
      stream.foreachRDD(
        async (rdd) => void (await Promise.all([rdd.count(), rdd.map(({ key }) => key).countByValue()])),
      );
    });
    expect(twice).toEqual([42]);
    const merged = await recordsOf((ssc) =>
      clicks(ssc, topic)
        .coalesce(1)
        .foreachRDD(async (rdd) => void (await Promise.all([rdd.count(), rdd.count()]))),
    );
    expect(merged).toEqual([42]);
  });

  it('runs what meets by key, and leaves no file of it', async () => {
    const files = (): string[] =>
      readdirSync(tmpdir()).filter((name) => name.startsWith(`millrace-local-${process.pid}-`));
    // Other tests of this process may have killed their applications.
    const others = new Set(files());
    const filesLeft = (): string[] => files().filter((name) => !others.has(name));
    const topic = await topicWith([30, 20, 0]);
    const made: unknown[] = [];
    const job = defineJob(CONFIG, (ssc) => {
      clicks(ssc, topic).foreachRDD(async (rdd) => {
        const pairs = rdd.map(({ value }): [string, number] => [value.n % 2 === 0 ? 'even' : 'odd', value.n]);
        const sums = pairs.reduceByKey((a, b) => a + b, 3);
        made.push(Object.fromEntries(await sums.collect()));
        const counts = pairs.mapValues(() => 1).reduceByKey((a, b) => a + b, 3);
        made.push(Object.fromEntries(await sums.join(counts).collect()));
        made.push(
          await rdd
            .map(({ value }) => value.n)
            .distinct()
            .count(),
        );
        made.push(filesLeft().length);
      });
    });
    const application = await embed(job, { slots: 2 });
    await application.start();
    await application.awaitTermination(DEADLINE);
    const sum = (n: number, rest: number): number =>
      Array.from({ length: n }, (_, i) => i)
        .filter((i) => i % 2 === rest)
        .reduce((a, b) => a + b, 0);
    const [even, odd] = [sum(30, 0) + sum(20, 0), sum(30, 1) + sum(20, 1)];
    expect(made).toEqual([{ even, odd }, { even: [even, 25], odd: [odd, 25] }, 30, 1]);
    expect(filesLeft()).toEqual([]);
  });

  it('runs every operator and action over real offset ranges', async () => {
    const topic = await topicWith([3, 2, 0]);
    const seen: Record<string, unknown> = {};
    const job = defineJob(CONFIG, (ssc) => {
      const stream = clicks(ssc, topic);
      stream
        .filter((r) => r.value.n !== 1)
        .map((r) => [r.partition, r.value.n] as const)
        .mapValues((n) => n * 10)
        .foreachRDD(async (rdd, time) => {
          seen['time'] = time;
          seen['ranges'] = rdd.offsetRanges.map((r: OffsetRange) => r.untilOffset);
          seen['collect'] = await rdd.collect();
          seen['count'] = await rdd.count();
          seen['first'] = await rdd.first();
          seen['top'] = await rdd.map(([, n]) => n).top(2);
          seen['sum'] = await rdd.map(([, n]) => n).fold(0, (a, b) => a + b);
          seen['union'] = await rdd.union(rdd).count();
          seen['glom'] = (await rdd.glom().collect()).map((part) => part.length);
          seen['async'] = await rdd.mapAsync(async ([p]) => p, { concurrency: 2 }).collect();
          seen['byValue'] = [...(await rdd.map(([p]) => p).countByValue())];
          seen['contexts'] = await rdd
            .mapPartitions(() => [
              [TaskContext.get().partitionId, TaskContext.get().offsetRange?.untilOffset],
            ])
            .collect();
        });
    });
    const app = await embed(job);
    await app.start();
    await app.awaitTermination(DEADLINE);
    expect(seen).toMatchObject({
      ranges: [3, 2, 0],
      collect: [
        [0, 0],
        [0, 20],
        [1, 0],
      ],
      count: 3,
      first: [0, 0],
      top: [20, 0],
      sum: 20,
      union: 6,
      glom: [2, 1, 0],
      async: [0, 0, 1],
      byValue: [
        [0, 2],
        [1, 1],
      ],
      contexts: [
        [0, 3],
        [1, 2],
        [2, 0],
      ],
    });
    expect((seen['time'] as number) % 20).toBe(0);
  });

  it('goes on where it was after a restart on the same directory, and keeps the limits', async () => {
    const topic = await topicWith([10]);
    const stateDir = mkdtempSync(join(tmpdir(), 'millrace-test-'));
    const batches: number[][] = [];
    const job = defineJob({ ...CONFIG, batches: 3 }, (ssc) => {
      clicks(ssc, topic, { maxRecordsPerBatch: 2 }).foreachRDD(async (rdd) => {
        batches.push(await rdd.map((r) => r.value.n).collect());
      });
    });
    try {
      for (let run = 0; run < 2; run++) {
        const app = await embed(job, { stateDir });
        await app.start();
        await app.awaitTermination(DEADLINE);
      }
    } finally {
      rmSync(stateDir, { recursive: true, force: true });
    }
    expect(batches).toEqual([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9], []]);
  });

  it('applies accumulators once per successful task, also when attempts failed', async () => {
    const topic = await topicWith([5, 5]);
    let attempts = 0;
    let counter: Accumulator | undefined;
    let broadcastSum = 0;
    const job = defineJob(CONFIG, (ssc) => {
      counter = ssc.accumulator(0, 'rows');
      const total = counter;
      const factors = ssc.broadcast({ factor: 3 });
      clicks(ssc, topic).foreachRDD(async (rdd) => {
        await rdd.foreach(() => {
          total.add(1);
          const { attemptNumber } = TaskContext.get();
          if (attemptNumber < 2) {
            attempts += 1;
            throw new Error('not yet');
          }
        });
        broadcastSum = await rdd.map((r) => r.value.n * factors.value.factor).reduce((a, b) => a + b);
      });
    });
    const app = await embed(job);
    await app.start();
    await app.awaitTermination(DEADLINE);
    expect(attempts).toBe(4);
    expect(counter?.value).toBe(10);
    expect(broadcastSum).toBe(60);
  });

  it('fails with the typed error of the batch, and runs no batch after it', async () => {
    const topic = await topicWith([5]);
    const events: ApplicationEvent[] = [];
    const job = defineJob({ ...CONFIG, batches: 5, taskAttemptsMax: 2 }, (ssc) => {
      clicks(ssc, topic).foreachRDD(async (rdd) => {
        await rdd.foreach((r) => {
          if (r.value.n === 3) throw new RangeError('three');
        });
      });
    });
    const app = await embed(job, { onEvent: (event) => events.push(event) });
    await app.start();
    const failed = app.awaitTermination(DEADLINE);
    await expect(failed).rejects.toMatchObject({
      code: 'USER_CODE',
      details: { topic, partition: 0, offset: 3 },
    });
    await expect(failed).rejects.toThrow('RangeError: three');
    expect(events.map(({ kind }) => kind)).toEqual(['running', 'batch-failed', 'ended']);
  });

  it('reads fixed ranges with createRDD, and prints what it resolved', async () => {
    const topic = await topicWith([4, 4]);
    const notices: string[] = [];
    let rows: unknown[] = [];
    let sentinel = 0;
    const job = defineJob(CONFIG, (ssc) => {
      clicks(ssc, topic).foreachRDD(async () => {
        const options = { brokers: kafka.broker.brokers, value: json<Click>() };
        const fixed = await ssc.kafka.createRDD(options, [
          { topic, partition: 0, from: 1, until: 3 },
          { topic, partition: 1, from: 'earliest', until: 'latest' },
        ]);
        await produce(topic, [1, 1], 100);
        rows = await fixed.map((r) => `${r.partition}/${r.value.n}`).collect();
        const bad = ssc.kafka.createRDD(options, [{ topic, partition: 0, from: 0, until: 99 }]);
        await bad.catch((error: { code: string }) => {
          sentinel = error.code === 'OFFSET_RANGE_INVALID' ? 1 : -1;
        });
      });
    });
    const app = await embed(job, { onEvent: (event) => event.kind === 'notice' && notices.push(event.text) });
    await app.start();
    await app.awaitTermination(DEADLINE);
    expect(rows).toEqual(['0/1', '0/2', '1/0', '1/1', '1/2', '1/3']);
    expect(notices.join('\n')).toContain(`${topic}-1 [0, 4)`);
    expect(sentinel).toBe(1);
  });

  it('reports every problem of the job at once, before anything runs', async () => {
    const job = defineJob(CONFIG, (ssc) => {
      ssc.kafka.createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe('no-such-topic', { brokers: kafka.broker.brokers, groupId: 'g' }),
      );
      clicks(ssc, 'embedded-0', { 'enable.auto.commit': true });
    });
    const app = await embed(job);
    const started = app.start();
    await expect(started).rejects.toThrow(/auto-commit/);
    await expect(started).rejects.toThrow(/NO_OUTPUT_OPERATION|no output operation/);
    await expect(started).rejects.toThrow(/no-such-topic/);
  });

  it('stops gracefully: the running batch is the last and is committed', async () => {
    const topic = await topicWith([1]);
    const events: string[] = [];
    const { promise: inBatch, resolve: entered } = Promise.withResolvers<void>();
    const job = defineJob({ name: 'graceful', batchInterval: '20ms' }, (ssc) => {
      clicks(ssc, topic).foreachRDD(async (rdd) => {
        entered();
        await rdd.count();
      });
    });
    const app = await embed(job, { onEvent: (event) => events.push(event.kind) });
    await app.start();
    await inBatch;
    await app.stop({ graceful: true });
    await app.awaitTermination();
    expect(events.filter((kind) => kind === 'batch-completed')).toHaveLength(1);
    expect(events.at(-1)).toBe('ended');
    expect(events).not.toContain('batch-failed');
  });
});
