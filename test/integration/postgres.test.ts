// What jobs write to PostgreSQL, under fire. A real server: postgresUnderTest.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { usePostgresUnderTest } from '../support/use-postgres-under-test.ts';

const TIMEOUT_MS = 120_000;
const PARTITIONS = 4;
const PER_PARTITION = 3000;

const kafka = useKafkaUnderTest();
const postgres = usePostgresUnderTest();
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start(kafka.brokers, 2, ['--slots', '2']);
}, TIMEOUT_MS);
afterAll(() => cluster?.close());

async function numbers(text: string): Promise<readonly number[]> {
  const { rows } = await postgres.pool.query<unknown[]>({ text, rowMode: 'array' });
  return (rows[0] ?? []).map(Number);
}

/** Rows, and how many are different ones; then the same of what was counted behind a shuffle. */
async function ledger(): Promise<readonly number[]> {
  const rows = `SELECT count(*), count(DISTINCT (p, s)) FROM ${postgres.schema}.rows`;
  const totals = `SELECT coalesce(sum(count), 0), count(*) FROM ${postgres.schema}.totals`;
  return [...(await numbers(rows)), ...(await numbers(totals))];
}

describe('toPostgres', () => {
  it(
    'writes every record once, and counts each once behind a shuffle, while executors and the host are killed in the middle of transactions',
    async () => {
      const { schema } = postgres;
      await postgres.pool.query(
        `CREATE TABLE ${schema}.rows (p int, s int); CREATE TABLE ${schema}.totals (key text PRIMARY KEY, count bigint)`,
      );
      const topic = await kafka.topic('postgres-in', PARTITIONS);
      const producer = new LedgerProducer(kafka.client, topic, PARTITIONS);
      await producer.append(PER_PARTITION / 2);
      const name = `postgres-${randomUUID().slice(0, 8)}`;
      const job = cluster.submit('postgres-job', {
        PG_NAME: name,
        PG_TOPIC: topic,
        PG_URL: postgres.url,
        PG_SCHEMA: schema,
        PG_PAUSE_MS: '60',
      });
      const rows = async (): Promise<number> => (await ledger())[0] ?? 0;
      await until('first rows', async () => (await rows()) > 0, 60_000);
      const replace = async (): Promise<void> => {
        const [victim] = cluster.executors.splice(0, 1);
        await cluster.kill(victim as ChildCommand);
        await cluster.startExecutor(['--slots', '2']);
      };
      await replace();
      process.kill(await cluster.hostPid(name), 'SIGKILL');
      await producer.append(PER_PARTITION / 2);
      await replace();
      const total = PARTITIONS * PER_PARTITION;
      await until('all rows', async () => (await rows()) >= total, 60_000);
      await cluster.cli(['stop', name, '--drain', '--driver', cluster.address]);
      expect({ code: await job.exited, errors: job.errors }).toEqual({ code: 0, errors: '[]' });
      expect(await ledger()).toEqual([total, total, total, PARTITIONS * 7]);
      const progress = await postgres.pool.query<{ partition: number; until: string }>(
        `SELECT partition, until_offset AS until FROM ${schema}.progress WHERE application = $1 AND output = 'rows' AND topic = $2 ORDER BY partition`,
        [name, topic],
      );
      expect(progress.rows).toEqual(
        Array.from({ length: PARTITIONS }, (_, partition) => ({ partition, until: String(PER_PARTITION) })),
      );
      // What the shell was told.
      const notes = JSON.stringify(job.events);
      expect(notes).toMatch(/output toPostgres#0 to PostgreSQL as .*: exactly-once/);
    },
    2 * TIMEOUT_MS,
  );
});
