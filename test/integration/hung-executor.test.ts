// An executor and its slots stand still (SIGSTOP: a paused machine) in the middle of their transactions, are given up, and come back.
import { describe, expect, it } from '@jest/globals';
import { isAlive } from '@millrace/common';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { socketsTo } from '../support/broker-sockets.ts';
import { childPids } from '../support/child-pids.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { untilLost } from '../support/executor-losses.ts';
import { figure, seconds } from '../support/figure.ts';
import type { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 180_000;
const STILL_MS = 30_000;
const DETECTED_MS_MAX = 5_000 + 500;

const kafka = useKafkaUnderTest();

interface Listed {
  readonly executorId: string;
  readonly pid: number;
  readonly registeredAt: number;
  readonly busy: number;
}

async function listed(cluster: TestCluster, pid: number): Promise<Listed | undefined> {
  const { stdout } = await cluster.cli(['list', '--json', '--driver', cluster.address]);
  return (JSON.parse(stdout) as { executors: readonly Listed[] }).executors.find((each) => each.pid === pid);
}

/** Resolves with what it has measured. */
async function hang({ cluster, job, brokers }: OnceRun): Promise<string> {
  const { pid } = cluster.executors[0] as ChildCommand;
  const port = Number(brokers.split(':')[1]);
  const slots = childPids(pid);
  const before = await until('the executor', () => listed(cluster, pid));
  const sockets = (): number => childPids(pid).reduce((sum, slot) => sum + socketsTo(slot, port), 0);
  const open = sockets();
  expect(open).toBeGreaterThan(0);
  const batches = job.batches.length;
  const stillSince = performance.now();
  const signal = (name: NodeJS.Signals): void => {
    for (const each of [pid, ...slots]) if (isAlive(each)) process.kill(each, name);
  };
  let noticed: number;
  try {
    noticed = await untilLost(cluster, () => signal('SIGSTOP'));
    await until('batches without it', () => job.batches.length > batches + 2, 60_000);
    await new Promise((resolve) => setTimeout(resolve, stillSince + STILL_MS - performance.now()));
  } finally {
    signal('SIGCONT');
  }
  const backAt = performance.now();
  const after = await until('the executor again', () => listed(cluster, pid), 20_000);
  const backMs = performance.now() - backAt;
  expect(after.registeredAt).toBeGreaterThan(before.registeredAt);
  // What it ran counts as lost; of what it says now of these tasks nothing is heard.
  const lost = job.batches.reduce((sum, { failedAttempts }) => sum + failedAttempts, 0);
  expect(lost).toBeGreaterThan(0);
  expect(noticed).toBeLessThan(DETECTED_MS_MAX);
  // Consumers and producers of the tasks that were given up are closed, or gone with their slots.
  await until('its connections are no more than before', () => sockets() <= open, 20_000);
  return `stood still for 30 s; given up after ${seconds(noticed)}, ${lost} attempts ran again; registered again ${seconds(backMs)} after it went on; connections to Kafka ${open} before, ${sockets()} after`;
}

describe('every record is seen once by readers of what is committed, also behind a shuffle', () => {
  it(
    'when an executor stands still in the middle of transactions for 30 s, and comes back: its results are refused, its consumers closed',
    async () => {
      let measured = '';
      await everyRecordOnce({
        kafka,
        batches: 60,
        timeoutMs: 90_000,
        disturb: async (run) => {
          measured = await hang(run);
        },
        env: { ONCE_ROW_MS: '3' },
      });
      figure(9, `${measured}; 6000 records, 0 lost, 0 twice`);
    },
    TIMEOUT_MS,
  );
});
