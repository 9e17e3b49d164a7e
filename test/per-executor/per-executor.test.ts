// Values that outlive a task or are shared by tasks, on real executor processes.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type DevBroker, produce, startDevBroker } from '@millrace/testing';
import { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';

const TIMEOUT_MS = 60_000;
const ROWS = [
  ['view:1', 'click:22', 'view:333!'],
  ['buy:4', 'view:55555555!'],
];

let broker: DevBroker;
let cluster: TestCluster;

beforeAll(async () => {
  broker = await startDevBroker();
  broker.createTopic('rows', { partitions: ROWS.length });
  const records = ROWS.flatMap((rows, partition) => rows.map((value) => ({ partition, value })));
  await produce(broker.brokers, 'rows', records);
  cluster = await TestCluster.start(broker.brokers, 1, ['--slots', '1']);
}, TIMEOUT_MS);

afterAll(async () => {
  await cluster?.close();
  await broker.close();
}, TIMEOUT_MS);

const file = (name: string): string => join(cluster.directory, name);
/** What a lifecycle job wrote, without process ids. */
const journalOf = (name: string): string[] =>
  existsSync(file(name))
    ? readFileSync(file(name), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(line.indexOf(' ') + 1))
    : [];

function lifecycle(name: string, batches: number) {
  const env = { NAME: name, JOURNAL: file(name), TOPIC: 'rows', BATCHES: String(batches) };
  return cluster.submit('../per-executor/jobs/lifecycle-job', env);
}

async function resultOf(name: string, env: Readonly<Record<string, string>> = {}) {
  const job = cluster.submit('../per-executor/jobs/counting-job', {
    NAME: name,
    TOPIC: 'rows',
    RESULT: file(name),
    ...env,
  });
  const code = await job.exited;
  if (code !== 0) throw new Error(`${name} ended with ${code}\n${job.stderr}\n${job.errors}`);
  return { job, result: JSON.parse(readFileSync(file(name), 'utf8')) as Record<string, unknown> };
}

describe('a perExecutor value', () => {
  it(
    'is made once, is replaced when its key changes, and is disposed with its application, the latest first',
    async () => {
      const job = lifecycle('lifecycle', 6);
      expect([await job.exited, job.stderr]).toEqual([0, expect.any(String)]);
      const closed = () => journalOf('lifecycle').filter((line) => line.startsWith('close'));
      await until('all are closed', () => closed().length >= 5);
      const journal = journalOf('lifecycle');
      const count = (text: string): number => journal.filter((line) => line === text).length;
      for (const made of ['base', 'a', 'b', 'pool 1', 'pool 2', 'broken'])
        expect(count(`open ${made}`)).toBe(1);
      // Batch 3 and 4 did without version 1; then it goes, while the application runs.
      const gone = journal.indexOf('close pool 1, its base is open');
      expect(gone).toBeGreaterThan(journal.findIndex((line) => line.startsWith('batch 3')));
      expect(gone).toBeLessThan(journal.findIndex((line) => line.startsWith('batch 6')));
      expect(journal.filter((line) => line.startsWith('batch'))).toEqual(
        [1, 1, 2, 2, 2, 2].map((v, i) => `batch ${i + 1}: ${v} base ab 2 true object`),
      );
      expect(closed()).toEqual([
        'close pool 1, its base is open',
        'close pool 2, its base is open',
        'close b',
        'close a',
        'close base',
      ]);
      // One in the host, one in the slot.
      expect(journal.filter((line) => line.startsWith('registries'))).toEqual(
        [2, 4, 6, 8, 10, 12].map((n) => `registries differ, the executor's was used ${n} times`),
      );
    },
    TIMEOUT_MS,
  );

  it(
    'is disposed when its executor stops gracefully',
    async () => {
      const job = lifecycle('stopped', 1_000_000);
      await until('the third batch', () => journalOf('stopped').some((line) => line.startsWith('batch 3')));
      await cluster.executors.at(-1)?.stop(30_000);
      expect(journalOf('stopped')).toEqual(
        expect.arrayContaining(['close pool 2, its base is open', 'close b', 'close a', 'close base']),
      );
      await cluster.cli(['stop', 'stopped', '--now', '--driver', cluster.address]);
      await job.exited;
      await cluster.startExecutor(['--slots', '2']);
    },
    TIMEOUT_MS,
  );
});

describe('accumulators', () => {
  const all = ROWS.flat();
  const expected = {
    rows: 100 + all.length,
    unnamed: all.length / 2,
    values: all.toSorted(),
    kinds: ['buy', 'click', 'view'],
    byKind: [
      ['all', 2 * all.length],
      ['buy', 1],
      ['click', 1],
      ['view', 3],
    ],
    longest: 'view:55555555!',
    completions: ['0/2/1/false', '1/2/1/false'],
  };

  it(
    'count what successful tasks added, once, whatever failed before; each batch shows them',
    async () => {
      const { job, result } = await resultOf('counting');
      expect(result).toEqual(expected);
      expect(job.batches).toMatchObject([
        {
          failedAttempts: 4,
          accumulators: [
            { name: 'rows', value: 105, added: 5 },
            { name: 'values', value: 5, added: 5 },
            { name: 'kinds', value: 3, added: 3 },
            { name: 'by kind', value: 4, added: 4 },
            { name: 'longest', value: '{"text":"view:55555555!","ends":[]}' },
          ],
        },
      ]);
    },
    TIMEOUT_MS,
  );

  it(
    'begin anew with a new host, where the batch that runs again counts once',
    async () => {
      const { result } = await resultOf('crashing', { CRASH: 'yes' });
      expect(result).toEqual(expected);
      expect(JSON.parse(readFileSync(file('crashing.crashed'), 'utf8'))).toEqual(expected);
    },
    TIMEOUT_MS,
  );
});
