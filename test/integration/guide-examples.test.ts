// The examples of docs/ run.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, it, jest } from '@jest/globals';
import type { JobDefinition } from '@millrace/api';
import { resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS } from '@millrace/kafka';
import { type DevBroker, embed, produce, startDevBroker } from '@millrace/testing';
import { recordsOf } from '../support/topic-records.ts';

const TOPICS = { totals: 2, orders: 3, returns: 1, 'shop-a': 2, 'orders-by-id': 1, 'orders-by-anyone': 1 };

let broker: DevBroker;
let rates: Server;
let outDir: string;

const order = (id: number): string =>
  JSON.stringify({ id, user: `u${id}`, country: ['de', 'fr', 'us'][id % 3], cents: 100 * (id + 1) });

beforeAll(async () => {
  broker = await startDevBroker();
  for (const [topic, partitions] of Object.entries(TOPICS)) broker.createTopic(topic, { partitions });
  const ids = [0, 1, 2, 3, 4, 5, 6, 7, 8];
  const { brokers } = broker;
  await produce(
    brokers,
    'orders',
    ids.map((id) => ({ partition: id % 3, value: order(id) })),
  );
  await produce(
    brokers,
    'returns',
    [0, 1, 2].map((id) => ({ value: order(id) })),
  );
  await produce(brokers, 'shop-a', [{ value: order(0) }]);
  await produce(brokers, 'orders-by-id', [
    { key: new Uint8Array([0, 0, 0, 7]), value: order(7) },
    { key: new Uint8Array([0, 0, 0, 8]), value: null },
  ]);
  await produce(brokers, 'orders-by-anyone', [{ value: order(7) }, { value: '{"id":' }]);
  rates = createServer((_request, response) => response.end('2'));
  await new Promise<void>((resolve) => rates.listen(0, '127.0.0.1', resolve));
  outDir = mkdtempSync(join(tmpdir(), 'millrace-guide-'));
  process.env['KAFKA_BROKERS'] = brokers;
  process.env['RATES_URL'] = `http://127.0.0.1:${(rates.address() as AddressInfo).port}`;
  process.env['OUT_DIR'] = outDir;
});

afterEach(() => void jest.restoreAllMocks());

afterAll(async () => {
  rates.close();
  rmSync(outDir, { recursive: true, force: true });
  await broker.close();
});

/** What a job prints in its first two batches: the second one is empty. */
async function printed(job: JobDefinition): Promise<string> {
  const lines: string[] = [];
  jest.spyOn(console, 'log').mockImplementation((...texts) => void lines.push(format(...texts)));
  const app = await embed(job, {
    config: { batches: 2, batchInterval: '20ms' },
    onEvent: (event) => void (event.kind === 'output' && lines.push(event.text)),
  });
  await app.start();
  await app.awaitTermination({ timeoutMs: 20_000 });
  return lines.join('\n');
}

it.each<[string, readonly string[]]>([
  ['guide/revenue', ['Z 45', 'Z 0']],
  ['guide/strategies', ['4 partitions: 12 records', '2 partitions: 1 records', '1 partitions: 2 records']],
  ['guide/codecs', ['7 is there', '8 was deleted', '1 orders; 1 left out']],
  ['guide/partitions', ['1200\n1500\n1800', '200\n800\n1400']],
  ['guide/shared', ['VAT 5.28 · untaxed 3', 'largest order so far:', 'batch:']],
  ['guide/offsets', ['orders-2 [0, 3): 3 offsets']],
  ['guide/committed', ['9 orders', 'Kafka knows']],
  ['guide/fixed-ranges', ['9 9 2', '0 9 2']],
  ['guide/files', []],
  ['guide/outputs', []],
  ['lambdas/shipped', ['47 of 9', 'shipped: {"id":0']],
])('examples/%s.ts prints what it should', async (name, expected) => {
  const { default: job } = (await import(`../../examples/${name}.ts`)) as { default: JobDefinition };
  const output = await printed(job);
  for (const text of expected) expect(output).toContain(text);
});

it('writes the same totals to a topic and to files', async () => {
  const [saved = ''] = readdirSync(outDir).filter((name) => name.startsWith('totals-'));
  const parts = readdirSync(join(outDir, saved)).toSorted();
  expect(parts).toEqual(['_SUCCESS', 'part-00000', 'part-00001']);
  const rows = parts.slice(1).flatMap((part) =>
    readFileSync(join(outDir, saved, part), 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
  );
  const totals = ['["de",1200]', '["fr",1500]', '["us",1800]'];
  expect(rows.toSorted()).toEqual(totals);
  const client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: broker.brokers }, 'test'));
  const written = await recordsOf(client, 'totals', 2);
  await client.close();
  expect(written.map(({ key, value }) => `["${key}",${value}]`).toSorted()).toEqual(totals);
});

it('writes one file a partition, complete, and leaves no temporary one', () => {
  const [batch = ''] = readdirSync(outDir);
  expect(readdirSync(join(outDir, batch)).toSorted()).toEqual([0, 1, 2].map((part) => `part-${part}.jsonl`));
  const rows = readFileSync(join(outDir, batch, 'part-1.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(rows.map((row) => (JSON.parse(row) as { id: number }).id)).toEqual([1, 4, 7]);
});

it('prints to standard output when nobody listens', async () => {
  const written: string[] = [];
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  jest.spyOn(console, 'log').mockReturnValue();
  const { default: job } = await import('../../examples/guide/codecs.ts');
  const app = await embed(job, { config: { batches: 1, batchInterval: '20ms' } });
  await app.start();
  await app.awaitTermination({ timeoutMs: 20_000 });
  expect(written.join('')).toContain('7 is there\n8 was deleted\n');
});
