import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { mapOutputsOf } from '../support/map-outputs.ts';
import { type FollowedJob, TestCluster } from '../support/test-cluster.ts';
import { recordsOf } from '../support/topic-records.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 120_000;
const RECORDS = 2_000;
const USERS = 101;

const kafka = useKafkaUnderTest();
let cluster: TestCluster;
let topic: string;
beforeAll(async () => {
  topic = await kafka.topic('persist', 3);
  const producer = kafka.client.producer();
  const values = Array.from({ length: RECORDS }, (_, i) => ({ value: `u${i % USERS} /p`, partition: i % 3 }));
  await producer.send(topic, values);
  await producer.close();
  cluster = await TestCluster.start(kafka.brokers, 2, ['--slots', '1']);
}, TIMEOUT_MS);
afterAll(() => cluster?.close());

interface Total {
  readonly count: number;
  readonly partition: number;
  readonly madeBy: string;
  readonly madeIn: number;
}

interface BatchLine {
  readonly time: number;
  readonly rows: readonly (readonly [string, Total])[];
  readonly tooMany: number;
  readonly counted: number;
}

const linesOf = (job: FollowedJob): BatchLine[] => job.output.map((text) => JSON.parse(text) as BatchLine);

/** Who made each partition, and in which batch. */
function makers({ rows }: BatchLine): Map<number, Pick<Total, 'madeBy' | 'madeIn'>> {
  return new Map(
    rows
      .map(([, { partition, madeBy, madeIn }]) => [partition, { madeBy, madeIn }] as const)
      .toSorted(([a], [b]) => a - b),
  );
}

const countsOf = ({ rows }: BatchLine): Map<string, number> =>
  new Map(rows.map(([user, { count }]) => [user, count]));

describe('a persisted dataset on two executors', () => {
  it(
    'is computed once, again where an executor is killed, and gone when it is released',
    async () => {
      const name = `persist-${randomUUID().slice(0, 8)}`;
      const releaseFile = join(cluster.directory, 'release');
      const job = cluster.submit('persist-job', {
        PERSIST_NAME: name,
        PERSIST_TOPIC: topic,
        PERSIST_RELEASE_FILE: releaseFile,
      });
      await until('batches that read what the first one stored', () => job.output.length >= 4, 60_000);
      const before = linesOf(job);
      const [first] = before as [BatchLine, ...BatchLine[]];
      expect([...countsOf(first).values()].reduce((a, b) => a + b, 0)).toBe(RECORDS);
      expect(countsOf(first).size).toBe(USERS);
      for (const line of before) expect(line).toEqual({ ...first, time: line.time, counted: RECORDS });
      const executors = new Set([...makers(first).values()].map(({ madeBy }) => madeBy));
      expect(executors.size).toBe(2);

      const [victim] = cluster.executors.splice(0, 1) as [ChildCommand];
      await cluster.kill(victim);
      await cluster.startExecutor(['--slots', '1']);
      const seen = job.output.length;
      await until('batches after the death', () => job.output.length >= seen + 4, 60_000);
      const last = linesOf(job).at(-1) as BatchLine;
      expect(countsOf(last)).toEqual(countsOf(first));
      // What is computed again does not count again.
      expect(last.counted).toBe(RECORDS);
      const [was, is] = [makers(first), makers(last)];
      const moved = [...was.keys()].filter(
        (partition) => was.get(partition)?.madeIn !== is.get(partition)?.madeIn,
      );
      const dead = new Set(moved.map((partition) => was.get(partition)?.madeBy));
      expect(dead.size).toBe(1);
      // All that the dead one held, and only that.
      for (const [partition, { madeBy }] of was) expect(moved.includes(partition)).toBe(dead.has(madeBy));

      expect(cluster.executors.some((one) => mapOutputsOf(one.pid) > 0)).toBe(true);
      writeFileSync(releaseFile, '');
      await until('no files', () => cluster.executors.every((one) => mapOutputsOf(one.pid) === 0));
      // It is computed in every batch now.
      const released = job.output.length;
      await until('batches after the release', () => job.output.length >= released + 3, 60_000);
      const [one, another] = linesOf(job).slice(-2) as [BatchLine, BatchLine];
      expect(countsOf(another)).toEqual(countsOf(first));
      expect([...makers(another).values()].every(({ madeIn }) => madeIn === another.time)).toBe(true);
      expect([...makers(one).values()].every(({ madeIn }) => madeIn === one.time)).toBe(true);
      expect(job.errors).toBe('[]');
    },
    TIMEOUT_MS,
  );
});

describe('examples/enrichment-join', () => {
  it(
    'joins orders with the customers of a compacted topic, and sees changes of them',
    async () => {
      const customers = await kafka.topic('customers', 2);
      const orders = await kafka.topic('orders', 2);
      const enriched = await kafka.topic('enriched-orders', 1);
      const producer = kafka.client.producer();
      const know = (key: string, name: string | null) =>
        producer.send(customers, [
          { key, value: name === null ? null : JSON.stringify({ name, country: 'de' }) },
        ]);
      let ordered = 0;
      const order = (...ids: readonly string[]) =>
        producer.send(
          orders,
          ids.map((customer) => ({
            partition: ordered % 2,
            value: JSON.stringify({ id: `${ordered++}`, customer, cents: 100 }),
          })),
        );
      /** "order id: name of its customer", as often as it was written. */
      const written = async (): Promise<readonly string[]> => {
        const records = await recordsOf(kafka.client, enriched, 1);
        return records
          .map(({ key, value }) => `${key}: ${(JSON.parse(value ?? '') as { name: string | null }).name}`)
          .toSorted();
      };

      await know('c1', 'An');
      await know('c1', 'Ann');
      await know('c2', 'Bob');
      await order('c1', 'c2', 'c3', 'c1');
      const job = cluster.submit('../../examples/enrichment-join/job', {
        CUSTOMERS_TOPIC: customers,
        ORDERS_TOPIC: orders,
        ENRICHED_TOPIC: enriched,
        CUSTOMERS_REFRESH_MS: '2000',
      });
      await until('four orders', async () => (await written()).length >= 4, 60_000);
      const first = ['0: Ann', '1: Bob', '2: null', '3: Ann'];
      expect(await written()).toEqual(first);

      await know('c2', null);
      await know('c3', 'Cleo');
      const seen = job.batches.length;
      await until('batches that read the table anew', () => job.batches.length >= seen + 4, 60_000);
      await order('c2', 'c3', 'c1');
      await producer.close();
      await until('seven orders', async () => (await written()).length >= 7, 60_000);
      expect(await written()).toEqual([...first, '4: null', '5: Cleo', '6: Ann']);
      await cluster.cli(['stop', 'enrichment-join', '--drain', '--driver', cluster.address]);
      expect({ code: await job.exited, errors: job.errors }).toEqual({ code: 0, errors: '[]' });
    },
    TIMEOUT_MS,
  );
});
