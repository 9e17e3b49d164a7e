// Ctrl-C where people press it: in an attached submit, and in `millrace dev`, while batches run.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isAlive, resolveConfig } from '@millrace/common';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient } from '@millrace/kafka';
import { checkLogDirectory } from '../../packages/driver/src/application/log/check-log.ts';
import { figure, seconds } from '../support/figure.ts';
import { endOf } from '../support/process-end.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { FollowedJob } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { useTestCluster } from '../support/use-test-cluster.ts';

const TIMEOUT_MS = 120_000;
const MAIN = new URL('../../packages/cli/src/main.ts', import.meta.url).pathname;
/** Two presses: what comes within a quarter of a second is one. */
const MORE_THAN_ONE_PRESS_MS = 400;
/** Ends of processes, beside what they wait for. */
const SLACK_MS = 10_000;
const TASK_MS = 2_000;
const LONG_TASK_MS = 60_000;

const kafka = useKafkaUnderTest();
const cluster = useTestCluster(kafka);

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Interrupted {
  readonly ms: number;
  readonly code: number | null;
}

/** Ctrl-C, so often, and how long its end took from the first one on. */
async function interrupted(command: FollowedJob, times: 1 | 2): Promise<Interrupted> {
  const began = performance.now();
  command.interrupt();
  if (times === 2) {
    await until('what it says to the first', () => command.stderr.includes('(again: stop now)'), SLACK_MS);
    await pause(MORE_THAN_ONE_PRESS_MS);
    command.interrupt();
  }
  const code = await endOf(command);
  return { ms: performance.now() - began, code };
}

async function produced(client: KafkaClient, topic: string): Promise<void> {
  await new LedgerProducer(client, topic, 2).append(400);
}

const jobOf = (name: string, topic: string, directory: string, taskMs: number) => ({
  LEDGER_NAME: name,
  LEDGER_DIR: join(directory, name),
  LEDGER_TOPIC: topic,
  LEDGER_TASK_MS: String(taskMs),
  LEDGER_BATCH_RECORDS: '200',
});

const logOf = (stateDir: string, name: string) =>
  checkLogDirectory(join(stateDir, 'applications', name, 'log'));

/** Ctrl-C of a submit in the middle of a batch whose tasks take so long. */
async function ofSubmit(taskMs: number, times: 1 | 2) {
  const topic = await kafka.topic('interrupts', 2);
  await produced(kafka.client, topic);
  const name = `interrupts-${randomUUID().slice(0, 8)}`;
  const job = cluster.submit('ledger-job', jobOf(name, topic, cluster.directory, taskMs));
  await until('a batch', async () => ((await logOf(cluster.stateDir, name))?.planned ?? 0) > 0);
  const end = await interrupted(job, times);
  return { ...end, log: await logOf(cluster.stateDir, name), status: await cluster.status(name) };
}

describe('Ctrl-C in an attached submit', () => {
  it(
    'lets the application finish its batch, and ends with code 130',
    async () => {
      const { ms, code, log, status } = await ofSubmit(TASK_MS, 1);
      expect([code, status?.['state'], log?.findings, log?.pending]).toEqual([130, 'STOPPED', [], undefined]);
      expect(log?.committed).toBeGreaterThan(0);
      expect(ms).toBeLessThan(2 * TASK_MS + SLACK_MS);
      figure(39, `Ctrl-C in an attached submit, batch of ${seconds(TASK_MS)}: code 130 after ${seconds(ms)}`);
    },
    TIMEOUT_MS,
  );

  it(
    'twice ends the application at once: its batch runs again at the next start',
    async () => {
      const { ms, code, log, status } = await ofSubmit(LONG_TASK_MS, 2);
      expect([code, status?.['state'], log?.findings, log?.committed]).toEqual([130, 'STOPPED', [], 0]);
      expect(log?.pending).toEqual(expect.any(Number));
      expect(ms).toBeLessThan(SLACK_MS);
      figure(39, `twice, batch of ${seconds(LONG_TASK_MS)}: code 130 after ${seconds(ms)}`);
    },
    TIMEOUT_MS,
  );
});

interface Dev {
  readonly brokers: string;
  readonly driver: string;
  readonly processes: readonly { readonly pid: number }[];
}

/** As a job that is followed: it tells what it does in the same way. */
function startDev(stateDir: string): FollowedJob {
  const { KAFKA_BROKERS: _, ...env } = process.env;
  const ports = ['--port', '0', '--broker-port', '0'];
  const args = ['--conditions=@millrace/source', MAIN, 'dev', '--json', ...ports, '--state-dir', stateDir];
  return new FollowedJob(spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** Its own broker, and an application in the middle of a batch. */
async function inBatch(
  command: FollowedJob,
  directory: string,
  stateDir: string,
  taskMs: number,
): Promise<Dev> {
  const dev = await until('the cluster', () => command.events[0] as Dev | undefined, 60_000);
  const client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: dev.brokers }, 'test'));
  try {
    await client.createTopic('interrupts', { partitions: 2 });
    await produced(client, 'interrupts');
  } finally {
    await client.close();
  }
  const variables = { KAFKA_BROKERS: dev.brokers, ...jobOf('job', 'interrupts', directory, taskMs) };
  const given = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const submitted = await cluster.cli([
    'submit',
    'test/jobs/ledger-job.ts',
    '--detach',
    '--driver',
    dev.driver,
    ...given,
  ]);
  expect(submitted).toMatchObject({ code: 0 });
  await until('a batch', async () => ((await logOf(stateDir, 'job'))?.planned ?? 0) > 0);
  return dev;
}

describe('Ctrl-C in `millrace dev`', () => {
  it.each([
    ['finishes the batch, and ends all its processes', TASK_MS, 1],
    ['twice ends all its processes at once', LONG_TASK_MS, 2],
  ] as const)(
    '%s, with code 130',
    async (_, taskMs, times) => {
      const directory = mkdtempSync(join(tmpdir(), 'millrace-dev-'));
      const stateDir = join(directory, 'state');
      const command = startDev(stateDir);
      try {
        const dev = await inBatch(command, directory, stateDir, taskMs);
        const { ms, code } = await interrupted(command, times);
        expect(code).toBe(130);
        expect(dev.processes.length).toBeGreaterThan(2);
        await until(
          'the end of its processes',
          () => !dev.processes.some(({ pid }) => isAlive(pid)),
          SLACK_MS,
        );
        const log = await logOf(stateDir, 'job');
        expect(log?.findings).toEqual([]);
        expect(log?.pending === undefined).toBe(times === 1);
        expect(ms).toBeLessThan((times === 1 ? 2 * TASK_MS : 0) + SLACK_MS);
        const what = times === 1 ? 'Ctrl-C in `dev`' : '`dev`, twice';
        figure(39, `${what}, batch of ${seconds(taskMs)}: code 130 after ${seconds(ms)}, nothing runs`);
      } catch (error) {
        process.stderr.write(command.stderr);
        throw error;
      } finally {
        // Of a test that failed: its processes end with it.
        command.kill();
        rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
      }
    },
    TIMEOUT_MS,
  );
});
