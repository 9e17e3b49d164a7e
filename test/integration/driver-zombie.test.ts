// A driver that stands still while another one takes its state directory over, as on another machine, and comes back.
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { isAlive } from '@millrace/common';
import { readLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { figure, seconds } from '../support/figure.ts';
import { endOf } from '../support/process-end.ts';
import type { CliResult, TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 180_000;
/** At first, and for the time after the take-over. */
const BATCHES = 20;

const kafka = useKafkaUnderTest();

/** The lock is as another machine has left it, that has not refreshed it for a minute. */
function asOfAnotherMachine(stateDir: string): void {
  const directory = join(stateDir, 'lock');
  const [file = ''] = readdirSync(directory);
  const lock = join(directory, file);
  const holder = JSON.parse(readFileSync(lock, 'utf8')) as object;
  writeFileSync(lock, JSON.stringify({ ...holder, host: 'elsewhere' }));
  const old = Date.now() / 1000 - 60;
  utimesSync(lock, old, old);
}

/** Another driver on the same state directory. */
async function secondDriver(cluster: TestCluster): Promise<CliResult> {
  return cluster.cli(['driver', '--port', '0', '--state-dir', cluster.stateDir]);
}

/** Resolves with what it has measured. */
async function takeOver({ cluster, application, more, seen, logDirectory }: OnceRun): Promise<string> {
  const zombie = cluster.driver;
  const zombieHost = await cluster.hostPid(application);
  const { executors } = cluster;
  const zombies = [zombie.pid, ...executors.map(({ pid }) => pid)];
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of zombies) process.kill(pid, name);
  };
  await more(BATCHES);
  signal('SIGSTOP');
  const refused = await secondDriver(cluster);
  expect(refused).toMatchObject({ code: 6, stderr: expect.stringContaining('STATE_DIR_IN_USE') });
  asOfAnotherMachine(cluster.stateDir);
  await cluster.startSuccessor();
  await cluster.startExecutor();
  const before = await seen();
  await until('records of the successor', async () => (await seen()) > before + 100, 60_000);
  const submission = join(cluster.stateDir, 'submissions', `${application}.json`);
  const epochOf = (): number =>
    (JSON.parse(readFileSync(submission, 'utf8')) as { submission: { epoch: number } }).submission.epoch;
  expect(epochOf()).toBe(2);
  signal('SIGCONT');
  const at = performance.now();
  expect(await endOf(zombie)).toEqual({ code: 6, signal: null });
  const ms = performance.now() - at;
  await until('the end of its host', () => !isAlive(zombieHost), 10_000);
  // It has told nobody that the application failed, nor has a host of its own taken an epoch.
  expect(epochOf()).toBe(2);
  expect((await cluster.status(application))?.['state']).toBe('RUNNING');
  // Of what follows the new epoch in the log nothing is the older one's.
  const { batches } = readLog(logDirectory);
  const first = batches.findIndex(
    ({ planned, committed }) => Math.max(planned.epoch, committed?.epoch ?? 0) === 2,
  );
  expect(first).toBeGreaterThan(0);
  const late = batches.slice(first).filter(({ committed }) => committed?.epoch === 1);
  expect(late).toEqual([]);
  return `ended with code 6 (FENCED) ${seconds(ms)} after it went on; 0 of ${batches.length - first} later batches are its own`;
}

describe('a driver that comes back when another one has taken over', () => {
  it(
    'ends as fenced, and nothing that it or its executors write counts',
    async () => {
      let measured = '';
      await everyRecordOnce({
        kafka,
        batches: BATCHES,
        timeoutMs: 90_000,
        disturb: async (run) => {
          measured = await takeOver(run);
        },
        losesDriver: true,
      });
      figure(7, `${measured}; ${2 * BATCHES * 100} records, 0 lost, 0 twice`);
    },
    TIMEOUT_MS,
  );
});
