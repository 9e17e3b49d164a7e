// What examples/README.md prints runs as it stands there, on two executors; only the addresses are others.
import { type ChildProcess, exec, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { resolveConfig, silentLogger, systemClock } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS } from '@millrace/kafka';
import { type DevBroker, startDevBroker } from '@millrace/testing';
import { TestCluster } from '../support/test-cluster.ts';
import { recordsOf } from '../support/topic-records.ts';
import { until } from '../support/until.ts';

const TIMEOUT_MS = 120_000;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MILLRACE = `${process.execPath} --conditions=@millrace/source packages/cli/src/main.ts`;
const README = readFileSync(new URL('../../examples/README.md', import.meta.url), 'utf8');

let broker: DevBroker;
let cluster: TestCluster;
const jobs: ChildProcess[] = [];

beforeAll(async () => {
  broker = await startDevBroker();
  cluster = await TestCluster.start(broker.brokers, 2, ['--slots', '1']);
}, TIMEOUT_MS);

afterAll(async () => {
  for (const job of jobs) if (job.pid !== undefined) process.kill(-job.pid, 'SIGKILL');
  await cluster?.close();
  await broker?.close();
});

/** The commands of the example's section. */
function commandsOf(example: string): readonly string[] {
  const section = README.split(/^## /m).find((text) => text.startsWith(`[${example}]`)) ?? '';
  const [, shell = ''] = /^```sh\n(.*?)^```$/ms.exec(section) ?? [];
  return shell
    .trim()
    .split('\n')
    .map((line) => line.replaceAll('127.0.0.1:9092', broker.brokers).replace(/^millrace/, MILLRACE));
}

/** Runs them; what the job has printed so far. */
async function run(example: string): Promise<() => string> {
  const commands = commandsOf(example);
  for (const command of commands.slice(0, -1)) await promisify(exec)(command, { cwd: ROOT, timeout: 60_000 });
  const submit = `${commands.at(-1)} --driver ${cluster.address}`;
  const job = spawn('sh', ['-c', submit], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  jobs.push(job);
  let output = '';
  for (const stream of [job.stdout, job.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return () => output;
}

it(
  'the four jobs give what the page says',
  async () => {
    const options = resolveConfig(KAFKA_OPTIONS, { brokers: broker.brokers, clientId: 'test' }, 'test');
    const kafka = connectKafka(options, { clock: systemClock, logger: silentLogger });
    const wordCount = await run('word-count');
    const totals = await run('running-totals');
    const pages = await run('top-pages');
    const join = await run('enrichment-join');
    const output = () => [wordCount(), totals(), pages(), join()].join('\n');
    try {
      await until('totals', () => totals().includes('cem 99.00 EUR, ann 18.00 EUR, bob 15.00 EUR'), 60_000);
      await until('visits', () => totals().includes('ann left after 3 purchases of 18.00 EUR'), 60_000);
      await until('pages', () => pages().includes('1. /home 3  2. /cart 2  3. /about 1'), 60_000);
      const written = async (topic: string) =>
        new Map((await recordsOf(kafka, topic, 3)).map(({ key, value }) => [key, value]));
      await until('counts', async () => (await written('word-counts')).get('is') === '4', 60_000);
      await until('orders', async () => (await written('enriched-orders')).size >= 3, 60_000);
      const orders = await written('enriched-orders');
      expect(['1', '2', '3'].map((id) => JSON.parse(orders.get(id) ?? '{}') as unknown)).toEqual([
        { id: '1', customer: 'c1', cents: 250, name: 'Anna', country: 'de' },
        { id: '2', customer: 'c2', cents: 990, name: 'Bob', country: 'fr' },
        { id: '3', customer: 'c9', cents: 100, name: null, country: null },
      ]);
    } catch (error) {
      throw new Error(output(), { cause: error });
    } finally {
      await kafka.close();
    }
  },
  TIMEOUT_MS,
);
