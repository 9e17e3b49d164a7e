import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { defineJob, type RDD } from '@millrace/api';
import { embed } from '@millrace/local';
import { type FollowedJob, TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 120_000;
const RECORDS = 1_000;
const USERS = 53;

const kafka = useKafkaUnderTest();
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start(kafka.brokers, 2, ['--slots', '1']);
}, TIMEOUT_MS);
afterAll(() => cluster?.close());

interface BatchLine {
  readonly time: number;
  readonly rows: readonly (readonly [string, { readonly count: number; readonly madeIn: number }])[];
  readonly made: number;
  readonly isCheckpointed: boolean;
  readonly file: string;
}

const linesOf = ({ output }: FollowedJob): readonly BatchLine[] =>
  output.map((text) => JSON.parse(text) as BatchLine);

it(
  'a checkpoint survives kill -9 of every executor without one row being computed again; what is damaged of it is an error, and anew after a restart',
  async () => {
    const topic = await kafka.topic('checkpoint', 3);
    const producer = kafka.client.producer();
    await producer.send(
      topic,
      Array.from({ length: RECORDS }, (_, i) => ({ value: `u${i % USERS}`, partition: i % 3 })),
    );
    await producer.close();
    const name = `checkpoint-${randomUUID().slice(0, 8)}`;
    const env = { CHECKPOINT_NAME: name, CHECKPOINT_TOPIC: topic };
    const job = cluster.submit('checkpoint-job', env);
    await until('batches that read the checkpoint', () => job.output.length >= 3, 60_000);
    const [first] = linesOf(job) as [BatchLine, ...BatchLine[]];
    expect(first.rows.reduce((sum, [, { count }]) => sum + count, 0)).toBe(RECORDS);
    expect(first).toMatchObject({ made: USERS, isCheckpointed: true });

    const killed = cluster.executors.splice(0);
    await Promise.all(killed.map((executor) => cluster.kill(executor)));
    await Promise.all([0, 1].map(() => cluster.startExecutor(['--slots', '1'])));
    const seen = job.output.length;
    await until('batches on other executors', () => job.output.length >= seen + 3, 60_000);
    // Every row as the first batch made it, and the lambda ran for none of them again.
    for (const line of linesOf(job)) expect(line).toEqual({ ...first, time: line.time });

    const states = readdirSync(cluster.stateDir, { recursive: true, encoding: 'utf8' });
    const file = join(cluster.stateDir, states.find((path) => path.endsWith(first.file)) as string);
    const bytes = readFileSync(file);
    for (let at = 40; at < bytes.length; at += 64) bytes[at] = (bytes[at] as number) ^ 0xff;
    writeFileSync(file, bytes);
    expect(await job.exited).not.toBe(0);
    expect(job.errors).toContain('STATE_CORRUPT');
    expect(job.errors).toContain(first.file);

    const again = cluster.submit('checkpoint-job', env);
    await until('a checkpoint of the next run', () => again.output.length >= 1, 60_000);
    const [fresh] = linesOf(again) as [BatchLine];
    const counts = (line: BatchLine) => new Map(line.rows.map(([user, { count }]) => [user, count]));
    // The batch that failed had no records: those of the first one are committed.
    expect(fresh.isCheckpointed).toBe(true);
    expect(counts(fresh).size === 0 || counts(fresh).size === USERS).toBe(true);
    await cluster.cli(['stop', name, '--driver', cluster.address]);
    await again.exited;
    const left = readdirSync(cluster.stateDir, { recursive: true, encoding: 'utf8' });
    expect(left.filter((path) => /-c\d+\.state$/.test(path))).toEqual([]);
  },
  TIMEOUT_MS,
);

it('an embedded application has checkpoints where it has a directory, and nothing of them is left', async () => {
  const stateDir = join(cluster.directory, 'embedded');
  const seen: unknown[] = [];
  const files = () =>
    readdirSync(stateDir, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('-c1.state'));
  const job = defineJob({ name: 'embedded-checkpoint', batchInterval: '50ms', batches: 3 }, (ssc) => {
    let total: RDD<[string, number]> | undefined;
    ssc.queueStream(Array.from({ length: 3 }, () => ssc.parallelize([['a', 1]]))).foreachRDD(async (rdd) => {
      // What is built up over batches: each stands on the checkpoint before it.
      const next = total ? total.union(rdd) : rdd;
      total = next.reduceByKey((a, b) => a + b, 2).checkpoint();
      seen.push([await total.collect(), total.isCheckpointed, files().length]);
    });
  });
  const application = await embed(job, { stateDir });
  await application.start();
  await application.awaitTermination({ timeoutMs: 30_000 });
  expect(seen).toEqual([1, 2, 3].map((n) => [[['a', n]], true, 1]));
  await until('nothing is left', () => files().length === 0);

  const nowhere = await embed(job);
  await nowhere.start();
  await expect(nowhere.awaitTermination({ timeoutMs: 30_000 })).rejects.toMatchObject({
    code: 'STATE_STORE_MISSING',
    details: { place: expect.stringContaining('checkpoint.test') },
  });
});
