// An application whose log was lost takes its exactly-once outputs over when somebody says so (--start-anew), wherever its processes die then.
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { armedBy } from '../crash/crash-run.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import type { CliResult } from '../support/test-cluster.ts';
import { recordsOf } from '../support/topic-records.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { usePostgresUnderTest } from '../support/use-postgres-under-test.ts';
import { useTestCluster } from '../support/use-test-cluster.ts';

const TIMEOUT_MS = 120_000;
const WAIT_MS = 60_000;
const PARTITIONS = 3;

const kafka = useKafkaUnderTest();
const postgres = usePostgresUnderTest();
const arming = join(tmpdir(), `millrace-begun-anew-${randomUUID()}`);
const cluster = useTestCluster(kafka, { environment: armedBy(arming) });
afterAll(() => rmSync(arming, { force: true }));

/** A job that is submitted again and again. */
class Application {
  readonly name = `anew-${randomUUID().slice(0, 8)}`;
  readonly #job: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(job: string, nameVariable: string, env: Readonly<Record<string, string>>) {
    this.#job = `test/jobs/${job}.ts`;
    this.#env = { KAFKA_BROKERS: kafka.brokers, [nameVariable]: this.name, ...env };
  }

  submit(...flags: readonly string[]): Promise<CliResult> {
    const env = Object.entries(this.#env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    return this.#cli(['submit', this.#job, '--detach', ...env, ...flags]);
  }

  async stop(): Promise<void> {
    expect((await this.#cli(['stop', this.name, '--drain'])).code).toBe(0);
  }

  async failure(): Promise<string> {
    return until('the failure', async () => {
      const status = await cluster.status(this.name);
      return status?.['state'] === 'FAILED' ? JSON.stringify(status['error']) : undefined;
    });
  }

  #cli(args: readonly string[]): Promise<CliResult> {
    return cluster.cli([...args, '--driver', cluster.address]);
  }
}

/** As on a machine that did not keep it. */
async function loseStateDirectory(): Promise<void> {
  await cluster.kill(cluster.driver);
  rmSync(cluster.stateDir, { recursive: true });
  await cluster.startDriver();
}

describe('an application whose state directory was lost begins anew', () => {
  it(
    'in Kafka, also when its host dies in the middle of taking more ids over',
    async () => {
      const topic = await kafka.topic('anew-in', PARTITIONS);
      const outs = [await kafka.topic('anew-out', PARTITIONS), await kafka.topic('anew-out', 1)] as const;
      const producer = new LedgerProducer(kafka.client, topic, PARTITIONS);
      const [out, shuffled] = outs;
      const app = new Application('exactly-once-job', 'ONCE_NAME', {
        ONCE_TOPIC: topic,
        ONCE_OUT: out,
        ONCE_SHUFFLED: shuffled,
      });
      /** How often readers of committed records see each record, in each output. */
      const seen = (): Promise<readonly (readonly number[])[]> =>
        Promise.all(
          outs.map(async (each, index) => {
            const records = await recordsOf(kafka.client, each, index === 0 ? PARTITIONS : 1);
            const times = Map.groupBy(records, ({ value }) => value);
            return [...times.values()].map(({ length }) => length).toSorted((x, y) => x - y);
          }),
        );
      const untilSeen = async (...wanted: readonly number[]): Promise<void> => {
        const sum = (times: readonly number[]): number => times.reduce((all, each) => all + each, 0);
        const isThere = async (): Promise<boolean> =>
          (await seen()).every((times) => sum(times) >= sum(wanted));
        await until(String(wanted), isThere, WAIT_MS);
        expect(await seen()).toEqual([wanted, wanted]);
      };
      await producer.append(2);
      expect((await app.submit()).code).toBe(0);
      await untilSeen(1, 1, 1, 1, 1, 1);
      await app.stop();

      await loseStateDirectory();
      const refused = await app.submit();
      expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining('FENCED') });
      // The first id of each output is taken at the start, the others by the first batch, which is planned by then.
      writeFileSync(arming, 'between-claims:3');
      expect((await app.submit('--start-anew')).code).toBe(0);
      await until('the death of the host', () => !existsSync(arming), WAIT_MS);
      await untilSeen(2, 2, 2, 2, 2, 2);
      await cluster.kill(cluster.driver);
      await cluster.startDriver();
      await producer.append(1);
      await untilSeen(1, 1, 1, 2, 2, 2, 2, 2, 2);
      await app.stop();
    },
    TIMEOUT_MS,
  );

  it(
    'in PostgreSQL, also when its host dies before an executor has taken its outputs over',
    async () => {
      const { schema, pool, url } = postgres;
      await pool.query(
        `CREATE TABLE ${schema}.rows (p int, s int); CREATE TABLE ${schema}.totals (key text PRIMARY KEY, count bigint)`,
      );
      const topic = await kafka.topic('anew-rows', PARTITIONS);
      const producer = new LedgerProducer(kafka.client, topic, PARTITIONS);
      const app = new Application('postgres-job', 'PG_NAME', {
        PG_TOPIC: topic,
        PG_URL: url,
        PG_SCHEMA: schema,
      });
      const rows = async (): Promise<number> => {
        const { rows: counted } = await pool.query<{ n: string }>(`SELECT count(*) AS n FROM ${schema}.rows`);
        return Number(counted[0]?.n);
      };
      const total = async (): Promise<number> => {
        const { rows: counted } = await pool.query<{ n: string }>(
          `SELECT coalesce(sum(count), 0) AS n FROM ${schema}.totals`,
        );
        return Number(counted[0]?.n);
      };
      await producer.append(2);
      expect((await app.submit()).code).toBe(0);
      await until('all rows', async () => (await total()) === 6, WAIT_MS);
      await app.stop();

      await loseStateDirectory();
      expect((await app.submit()).code).toBe(0);
      expect(await app.failure()).toContain('FENCED');
      for (const executor of cluster.executors.splice(0)) await cluster.kill(executor);
      expect((await app.submit('--start-anew')).code).toBe(0);
      const host = await cluster.hostPid(app.name);
      process.kill(host, 'SIGKILL');
      await until('another host', async () => (await cluster.hostPid(app.name)) !== host, WAIT_MS);
      await cluster.startExecutor();
      // What is read again does not go on where the table says: an error on purpose.
      expect(await app.failure()).toMatch(/OUTPUT_CONFLICT.*delete the output's rows/);
      expect(await rows()).toBe(6);
      await pool.query(`DELETE FROM ${schema}.progress WHERE application = $1`, [app.name]);
      expect((await app.submit()).code).toBe(0);
      await until('all rows again', async () => (await total()) === 12, WAIT_MS);
      await app.stop();
      expect(await rows()).toBe(12);
    },
    TIMEOUT_MS,
  );
});
