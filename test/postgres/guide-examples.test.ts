// The examples of docs/ that write to PostgreSQL run: postgresUnderTest.
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { JobDefinition } from '@millrace/api';
import { type DevBroker, embed, produce, startDevBroker } from '@millrace/testing';
import { Client } from 'pg';
import { usePostgresUnderTest } from '../support/use-postgres-under-test.ts';

const postgres = usePostgresUnderTest();
let broker: DevBroker;
let client: Client;

beforeAll(async () => {
  broker = await startDevBroker();
  broker.createTopic('orders', { partitions: 3 });
  const url = `${postgres.url}?options=${encodeURIComponent(`-c search_path=${postgres.schema}`)}`;
  process.env['KAFKA_BROKERS'] = broker.brokers;
  process.env['DATABASE_URL'] = url;
  client = new Client({ connectionString: url });
  await client.connect();
  await client.query(`
    CREATE TABLE orders (id int, country text, cents int);
    CREATE TABLE totals (country text PRIMARY KEY, cents bigint);
    CREATE TABLE own_offsets (topic text, partition int, until bigint, PRIMARY KEY (topic, partition));
    CREATE TABLE revenue (cents bigint);
    INSERT INTO revenue VALUES (0)`);
});
afterAll(async () => {
  await client?.end();
  await broker?.close();
});

async function order(...ids: readonly number[]): Promise<void> {
  const country = (id: number): string => ['de', 'fr', 'us'][id % 3] as string;
  await produce(
    broker.brokers,
    'orders',
    ids.map((id) => ({ partition: id % 3, value: JSON.stringify({ id, country: country(id), cents: 100 }) })),
  );
}

/** Two batches: the second one is empty. */
async function run(job: JobDefinition): Promise<void> {
  const app = await embed(job, { config: { batches: 2, batchInterval: '20ms' } });
  await app.start();
  await app.awaitTermination({ timeoutMs: 20_000 });
}

async function column(text: string): Promise<readonly unknown[]> {
  return (await client.query<unknown[]>({ text, rowMode: 'array' })).rows.map(([value]) => value);
}

it('keeps orders and totals', async () => {
  await order(0, 1, 2, 3);
  await run((await import('../../examples/guide/postgres.ts')).default);
  expect(await column('SELECT id FROM orders ORDER BY id')).toEqual([0, 1, 2, 3]);
  expect(await column("SELECT country || ' ' || cents FROM totals ORDER BY country")).toEqual([
    'de 200',
    'fr 100',
    'us 100',
  ]);
  expect(
    await column(
      "SELECT until_offset FROM millrace_progress WHERE output = 'orders' AND topic = 'orders' ORDER BY partition",
    ),
  ).toEqual(['2', '1', '1']);
});

it('goes on where the database says, when its log is gone', async () => {
  const lines = jest.spyOn(console, 'log').mockReturnValue();
  const { default: job } = await import('../../examples/guide/own-offsets.ts');
  await run(job);
  await order(4, 5);
  await run(job);
  const begun = lines.mock.calls.flat();
  jest.restoreAllMocks();
  expect(begun).toEqual([
    'begins at 0, begins at 0, begins at 0',
    'begins at 2, begins at 1, begins at 1',
    'begins at 2, begins at 1, begins at 1',
    'begins at 2, begins at 2, begins at 2',
  ]);
  expect(await column('SELECT cents FROM revenue')).toEqual(['600']);
  expect(await column('SELECT until FROM own_offsets ORDER BY partition')).toEqual(['2', '2', '2']);
});
