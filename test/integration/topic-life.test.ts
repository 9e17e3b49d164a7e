import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { checkLedger, verdictText } from '../ledger/ledger-checker.ts';
import { ledgerSize, readLedgerDirectory } from '../ledger/ledger-directory.ts';
import { deleteRecords } from '../support/delete-records.ts';
import { figure, seconds } from '../support/figure.ts';
import { endOf } from '../support/process-end.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import type { CliResult, FollowedJob } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { useTestCluster } from '../support/use-test-cluster.ts';

const TIMEOUT_MS = 120_000;
/** Beside what a busy machine takes. */
const PICKED_UP_MS_MAX = 15_000;

const kafka = useKafkaUnderTest();
const cluster = useTestCluster(kafka);

async function started(records: number) {
  const topic = await kafka.topic('life', 1);
  await new LedgerProducer(kafka.client, topic, 1).append(records);
  const name = `life-${randomUUID().slice(0, 8)}`;
  const directory = join(cluster.directory, name);
  const job = cluster.submit('ledger-job', { LEDGER_NAME: name, LEDGER_DIR: directory, LEDGER_TOPIC: topic });
  const seen = (): number => ledgerSize(directory);
  await until('all records', () => seen() === records);
  return { topic, name, job, seen };
}

/** The host does not look while the topic is deleted and made again: only the topic's id can tell. */
async function recreatedUnseen(name: string, topic: string, records: number): Promise<void> {
  const host = await cluster.hostPid(name);
  process.kill(host, 'SIGSTOP');
  try {
    await kafka.client.deleteTopic(topic);
    await kafka.client.createTopic(topic, { partitions: 1 });
    if (records > 0) await new LedgerProducer(kafka.client, topic, 1).append(records);
  } finally {
    process.kill(host, 'SIGCONT');
  }
}

const cli = (...args: readonly string[]): Promise<CliResult> =>
  cluster.cli([...args, '--driver', cluster.address]);

async function stop(name: string, job: FollowedJob): Promise<void> {
  await cli('stop', name, '--drain');
  expect(await endOf(job)).toBe(0);
}

describe('a topic that is deleted and created again under a running job', () => {
  it.each([
    ['shorter than what was read', 0],
    ['longer than what was read', 3000],
  ])(
    'is detected when it is %s, and nothing of it is read',
    async (what, records) => {
      const { topic, name, job, seen } = await started(1000);
      await recreatedUnseen(name, topic, records);
      const at = performance.now();
      expect(await endOf(job)).toBe(7);
      const ms = performance.now() - at;
      expect(job.errors).toContain('TOPIC_RECREATED');
      expect(job.errors).toContain(topic);
      expect(seen()).toBe(1000);
      figure(
        32,
        `${what}: TOPIC_RECREATED, code 7, after ${seconds(ms)}; 0 of ${records} records of the new one read`,
      );
    },
    TIMEOUT_MS,
  );
});

describe('partitions that are added under a running job', () => {
  it(
    'are read from their beginning, also what was written before they were discovered',
    async () => {
      const { topic, name, job, seen } = await started(100);
      const at = performance.now();
      await kafka.client.createPartitions(topic, 3);
      const producer = new LedgerProducer(kafka.client, topic, 3);
      producer.produced.set(0, 100);
      await producer.append(50);
      await until('the records of the new partitions', () => seen() === 250);
      const ms = performance.now() - at;
      await stop(name, job);
      expect(ms).toBeLessThan(PICKED_UP_MS_MAX);
      figure(33, `two partitions added: all their records read ${seconds(ms)} after that, 0 lost`);
    },
    TIMEOUT_MS,
  );

  it(
    'lose nothing when they are added under load, and batches stay bounded',
    async () => {
      const { topic, name, job, seen } = await started(100);
      const producer = new LedgerProducer(kafka.client, topic, 1);
      producer.produced.set(0, 100);
      for (const partitions of [3, 6]) {
        await kafka.client.createPartitions(topic, partitions);
        for (let p = producer.produced.size; p < partitions; p++) producer.produced.set(p, 0);
        await producer.append(2000, 50);
      }
      await until('all records of all partitions', () => seen() === producer.total, 60_000);
      expect(Math.max(...job.batches.map(({ records }) => records))).toBeLessThanOrEqual(2000);
      await stop(name, job);
      const ledger = readLedgerDirectory(join(cluster.directory, name));
      expect(verdictText(checkLedger(producer.produced, ledger))).toBe('OK');
      const largest = Math.max(...job.batches.map(({ records }) => records));
      figure(
        33,
        `1 to 3 to 6 partitions under load: ${producer.total} records, 0 lost, 0 twice; largest batch ${largest} of 2000`,
      );
    },
    TIMEOUT_MS,
  );
});

describe('records that retention deletes before they are read', () => {
  const submit = (name: string, topic: string, loss: 'fail' | 'skip'): FollowedJob =>
    cluster.submit('offsets-job', {
      JOB_NAME: name,
      JOB_TOPIC: topic,
      JOB_GROUP: name,
      JOB_MIRROR: 'true',
      JOB_LOSS: loss,
    });
  const skippedOf = ({ batches }: FollowedJob): readonly object[] =>
    batches.flatMap(({ accumulators }) => accumulators.filter((each) => each.name.startsWith('skipped')));

  it(
    'end the job with what is gone; or are skipped, counted, logged and shown',
    async () => {
      const topic = await kafka.topic('retention', 1);
      const producer = new LedgerProducer(kafka.client, topic, 1);
      await producer.append(100);
      const name = `retention-${randomUUID().slice(0, 8)}`;
      const failing = submit(name, topic, 'fail');
      await until('all records', () => failing.output.includes('0 [0, 100) 100'));
      /** Appends, and deletes all before an offset, while the job does not look. */
      const unseen = async (records: number, before: number): Promise<void> => {
        const host = await cluster.hostPid(name);
        process.kill(host, 'SIGSTOP');
        try {
          await producer.append(records);
          await deleteRecords(kafka.brokers, topic, 0, before);
        } finally {
          process.kill(host, 'SIGCONT');
        }
      };
      await unseen(100, 150);
      expect(await endOf(failing)).toBe(7);
      expect(failing.errors).toContain('OFFSET_OUT_OF_RANGE');
      expect(failing.errors).toContain('"offset":100,"earliest":150');
      const reset = await cli('offsets', 'reset', name, '--to-earliest', '--execute');
      expect([reset.code, reset.stdout]).toEqual([0, expect.stringContaining('skips 50')]);

      const skipping = submit(name, topic, 'skip');
      await until('what is left', () => skipping.output.includes('0 [150, 200) 50'));
      await unseen(50, 230);
      // Of what was planned, or of what is left.
      await until('what is left', () => skipping.output.some((line) => /\[2[03]0, 250\) 20/.test(line)));
      await stop(name, skipping);
      expect(await cluster.status(name)).toMatchObject({ skippedDeleted: 30, skippedUndecodable: 0 });
      await producer.append(50);
      await deleteRecords(kafka.brokers, topic, 0, 280);
      const again = submit(name, topic, 'skip');
      await until('what is left', () => again.output.includes('0 [280, 300) 20'));

      const counter = `skipped, deleted by retention (topics ${topic})`;
      await until('the counts', () => skippedOf(skipping).length + skippedOf(again).length >= 2);
      expect([...skippedOf(skipping), ...skippedOf(again)]).toEqual([
        expect.objectContaining({ name: counter, value: 30 }),
        expect.objectContaining({ name: counter, value: 30 }),
      ]);
      expect(JSON.stringify(again.events)).toContain('30 offsets of');
      expect((await cli('log', name, '--tail', '0')).stdout).toMatch(
        /records were gone, and skipped[\s\S]*250[\s\S]*280/,
      );
      await stop(name, again);
      const check = await cluster.cli(['check-log', name, '--state-dir', cluster.stateDir, '--json']);
      const { partitions } = JSON.parse(check.stdout) as {
        partitions: readonly { readonly until: number; readonly skipped: Record<string, number> }[];
      };
      expect([check.code, partitions]).toMatchObject([0, [{ until: 300, skipped: { request: 50 } }]]);
      expect([30, 60]).toContain(partitions[0]?.skipped['data-loss']);
      figure(
        31,
        'OFFSET_OUT_OF_RANGE, code 7, names 100 and 150; with failOnDataLoss: false 30 and 30 of 30 and 30 counted',
      );
    },
    TIMEOUT_MS,
  );
});
