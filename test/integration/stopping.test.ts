import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isAlive } from '@millrace/common';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { checkLogDirectory } from '../../packages/driver/src/application/log/check-log.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { figure, seconds } from '../support/figure.ts';
import { endOf } from '../support/process-end.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { useTestCluster } from '../support/use-test-cluster.ts';

const TIMEOUT_MS = 120_000;
const TERMINATED = { code: 143, signal: null };
/** Ends of processes, beside what they wait for: bounds of their own are far above it. */
const SLACK_MS = 10_000;
const LONG_TASK_MS = 60_000;
/** Of work, at first and for each round of signals. */
const BATCHES = 8;

const kafka = useKafkaUnderTest();
const cluster = useTestCluster(kafka, { executors: 2, executorArgs: ['--slots', '1'] });

/** A job whose tasks take so long, in the middle of a batch. */
async function running(taskMs: number, batches: number) {
  const topic = await kafka.topic('stopping', 2);
  const producer = new LedgerProducer(kafka.client, topic, 2);
  await producer.append(100 * batches);
  const name = `stopping-${randomUUID().slice(0, 8)}`;
  const job = cluster.submit('ledger-job', {
    LEDGER_NAME: name,
    LEDGER_DIR: join(cluster.directory, name),
    LEDGER_TOPIC: topic,
    LEDGER_TASK_MS: String(taskMs),
    LEDGER_BATCH_RECORDS: '200',
  });
  const log = join(cluster.stateDir, 'applications', name, 'log');
  await until('a batch is planned', async () => ((await checkLogDirectory(log))?.planned ?? 0) > 0);
  return { name, job, checked: () => checkLogDirectory(log) };
}

/** Every executor has a task. */
async function allBusy(): Promise<boolean> {
  const { stdout } = await cluster.cli(['list', '--json', '--driver', cluster.address]);
  const { executors } = JSON.parse(stdout) as { executors: readonly { readonly busy: number }[] };
  return executors.length === 2 && executors.every(({ busy }) => busy === 1);
}

/** Two presses: what comes within a quarter of a second is one. */
const MORE_THAN_ONE_PRESS_MS = 400;

/** The first signal has come to it: a busy machine may take its time. */
const isStopping = ({ logFile = '' }: ChildCommand): boolean =>
  /"msg":"(executor stops|driver stopping)"/.test(readFileSync(logFile, 'utf8'));

async function terminated(command: ChildCommand, times: 1 | 2): Promise<number> {
  const began = performance.now();
  process.kill(command.pid, 'SIGTERM');
  if (times === 2) {
    await until('its word about the first one', () => isStopping(command), SLACK_MS);
    await new Promise((resolve) => setTimeout(resolve, MORE_THAN_ONE_PRESS_MS));
    // It may have had nothing to finish.
    if (isAlive(command.pid)) process.kill(command.pid, 'SIGTERM');
  }
  expect(await endOf(command)).toEqual(TERMINATED);
  const ms = Math.round(performance.now() - began);
  process.stderr.write(
    `${command.name} ended ${ms} ms after SIGTERM${times === 2 ? ' and another one' : ''}\n`,
  );
  return ms;
}

const stop = (name: string, how: string) => cluster.cli(['stop', name, how, '--driver', cluster.address]);

describe('SIGTERM', () => {
  it(
    'lets an executor finish its tasks, and a driver the running batch: the next one goes on behind it',
    async () => {
      const { name, job, checked } = await running(1200, 4);
      await until('the first batch', () => job.batches.length > 0);
      const [executor] = cluster.executors.splice(0, 1) as [ChildCommand];
      expect(await terminated(executor, 1)).toBeLessThan(1200 + SLACK_MS);
      const before = job.batches.length;
      await until('a batch without it', () => job.batches.length > before);
      // What is launched in the very moment of the signal is refused, and runs elsewhere: that is no failure.
      expect(job.batches.map(({ failedAttempts }) => failedAttempts)).toEqual(job.batches.map(() => 0));

      expect(await terminated(cluster.driver, 1)).toBeLessThan(2 * 1200 + SLACK_MS);
      const left = await checked();
      expect([left?.findings, left?.pending]).toEqual([[], undefined]);
      const committed = left?.committed ?? 0;
      await Promise.all([cluster.startDriver(), cluster.startExecutor(['--slots', '1'])]);
      await until(
        'a batch of the next one',
        async () => ((await checked())?.committed ?? 0) > committed,
        60_000,
      );
      expect((await checked())?.resumed).toBe(0);
      expect((await stop(name, '--drain')).code).toBe(0);
    },
    TIMEOUT_MS,
  );

  it(
    'twice ends an executor at once, with its tasks, and a driver with its hosts: the batch runs again. A host leaves it to its driver',
    async () => {
      const { name, checked } = await running(LONG_TASK_MS, 1);
      await until('all tasks', allBusy);
      const [executor] = cluster.executors.splice(0, 1) as [ChildCommand];
      expect(await terminated(executor, 2)).toBeLessThan(SLACK_MS);
      const host = await cluster.hostPid(name);
      process.kill(host, 'SIGTERM');
      expect(await terminated(cluster.driver, 2)).toBeLessThan(SLACK_MS);
      await until('the end of the host', () => !isAlive(host), SLACK_MS);
      const { planned, pending, committed } = (await checked()) ?? {};
      expect([planned, committed, pending]).toEqual([1, 0, expect.any(Number)]);

      await cluster.startDriver();
      await until('the batch again', async () => (await cluster.hostPid(name)) !== host);
      // A stop that drains waits for the batch, 30 s at most; the second word counts.
      const drained = stop(name, '--drain');
      await until('the drain', async () => (await cluster.status(name))?.['state'] === 'STOPPING');
      expect((await stop(name, '--now')).code).toBe(0);
      await drained;
      expect(await checked()).toMatchObject({ planned: 1, committed: 0, pending, findings: [] });
    },
    TIMEOUT_MS,
  );

  it(
    'under load, once and twice, of executors and the driver, leaves each record of exactly-once outputs there once',
    async () => {
      const took: string[] = [];
      const disturb = async (run: OnceRun): Promise<void> => {
        const moved = run.cluster;
        for (const times of [1, 2] as const) {
          await run.more(BATCHES);
          const [executor] = moved.executors.splice(0, 1) as [ChildCommand];
          took.push(`executor ${seconds(await terminated(executor, times))}`);
          await moved.startExecutor();
          const before = run.job.batches.length;
          took.push(`driver ${seconds(await terminated(moved.driver, times))}`);
          await moved.startDriver();
          await until('batches of the next driver', () => run.job.batches.length > before, 60_000);
        }
      };
      // Tasks of more than the time between two signals.
      const env = { ONCE_ROW_MS: '20' };
      await everyRecordOnce({ kafka, batches: BATCHES, timeoutMs: 60_000, disturb, env });
      figure(
        39,
        `SIGTERM, then twice, under load: ${took.join(', ')}, code 143 each; ${3 * BATCHES * 100} records, 0 lost, 0 twice`,
      );
    },
    TIMEOUT_MS,
  );
});
