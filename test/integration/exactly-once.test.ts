// Outputs with guarantee 'exactly-once', while processes die and come back: what a reader of committed records sees.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { randomInt, seededRandom } from '@millrace/common';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { checkLedger, verdictText } from '../ledger/ledger-checker.ts';
import { childPids } from '../support/child-pids.ts';
import { CommittedReader } from '../support/committed-reader.ts';
import { isAlive } from '../support/is-alive.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { type FollowedJob, TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
const TIMEOUT_MS = LONG ? 1_800_000 : 180_000;
const PARTITIONS = 4;
const OUT_PARTITIONS = 3;
const BATCHES = LONG ? 600 : 60;
const ZOMBIE_BATCHES = 40;
const BATCH_RECORDS = 100;

const kafka = useKafkaUnderTest();

interface Run {
  readonly cluster: TestCluster;
  readonly application: string;
  readonly job: FollowedJob;
  readonly brokers: string;
}

/** Runs the job over so many batches, lets `disturb` do its worst meanwhile, and judges both outputs. */
async function everyRecordOnce(batches: number, disturb: (run: Run) => Promise<void>): Promise<void> {
  const topic = await kafka.topic('once-in', PARTITIONS);
  const out = await kafka.topic('once-out', OUT_PARTITIONS);
  const shuffled = await kafka.topic('once-shuffled', OUT_PARTITIONS);
  const producer = new LedgerProducer(kafka.client, topic, PARTITIONS);
  await producer.append(Math.ceil((batches * BATCH_RECORDS) / PARTITIONS));
  const readers = [out, shuffled].map((name) => new CommittedReader(kafka.client, name, OUT_PARTITIONS));
  const cluster = await TestCluster.start(kafka.brokers);
  const application = `once-${randomUUID().slice(0, 8)}`;
  let followed: FollowedJob | undefined;
  try {
    const job = cluster.submit('exactly-once-job', {
      ONCE_NAME: application,
      ONCE_TOPIC: topic,
      ONCE_OUT: out,
      ONCE_SHUFFLED: shuffled,
      ONCE_ROW_MS: '1',
      ONCE_BATCH_RECORDS: String(BATCH_RECORDS),
    });
    followed = job;
    await until('the first batches', () => job.batches.length > 1, 30_000);
    await disturb({ cluster, application, job, brokers: kafka.brokers });
    await until(
      'all records',
      async () => {
        const counts = await Promise.all(readers.map((reader) => reader.read()));
        return counts.every((count) => count >= producer.total);
      },
      LONG ? 600_000 : 90_000,
    );
    const stopped = await cluster.cli(['stop', application, '--drain', '--driver', cluster.address]);
    expect({ code: stopped.code, exited: await job.exited }).toEqual({ code: 0, exited: 0 });
    const checked = await cluster.cli(['check-log', application, '--state-dir', cluster.stateDir]);
    expect({ code: checked.code, stdout: checked.stdout }).toMatchObject({ code: 0 });
    for (const reader of readers) await reader.read();
    const [copied, moved] = readers as [CommittedReader, CommittedReader];
    expect(verdictText(checkLedger(producer.produced, copied.seen))).toBe('OK');
    // Behind a shuffle the order is that of the keys.
    const { lost, duplicated } = checkLedger(producer.produced, moved.seen);
    expect({ lost, duplicated }).toEqual({ lost: 0, duplicated: 0 });
  } catch (error) {
    const events = followed?.events.filter(({ kind }) => kind !== 'batch').slice(-20);
    process.stderr.write(`${followed?.stderr}\n${JSON.stringify(events, null, 1)}\n`);
    throw error;
  } finally {
    await cluster.close();
  }
}

/** The shell that ends a driver's hosts when it is killed: here it has been killed first. */
function reaperOf(driverPid: number): number {
  const found = childPids(driverPid).find((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/bin/sh'),
  );
  if (found === undefined) throw new Error(`driver ${driverPid} has no reaper`);
  return found;
}

/** An executor and its slots. */
function treeOf({ pid }: ChildCommand): readonly number[] {
  return [...childPids(pid), pid];
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended.
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('every record is seen once by readers of what is committed, also behind a shuffle', () => {
  it(
    'while slots, executors, hosts and drivers are killed',
    async () => {
      const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 2 ** 31);
      const random = seededRandom(seed);
      const kills: string[] = [];
      await everyRecordOnce(BATCHES, async ({ cluster, application, job }) => {
        const killers = {
          slot: () => {
            const executor = cluster.executors[randomInt(random, cluster.executors.length)] as ChildCommand;
            const slots = childPids(executor.pid);
            signal(slots.slice(randomInt(random, slots.length)).slice(0, 1), 'SIGKILL');
          },
          executor: async () => {
            const [victim] = cluster.executors.splice(randomInt(random, cluster.executors.length), 1);
            await cluster.kill(victim as ChildCommand);
            await cluster.startExecutor();
          },
          host: async () => signal([await cluster.hostPid(application)], 'SIGKILL'),
          driver: async () => {
            await cluster.kill(cluster.driver);
            await cluster.startDriver();
          },
        };
        const plan = ['slot', 'host', 'executor', 'driver', 'slot', 'host', 'slot'] as const;
        const killsMax = LONG ? 60 : 5;
        let hosts = 0;
        for (let kill = 0; kill < killsMax; kill++) {
          let victim = plan[kill % plan.length] ?? 'slot';
          // A host that is lost more than five times in ten minutes is not started again.
          if (victim === 'host' && ++hosts > 4) victim = 'slot';
          await pause(randomInt(random, 400));
          const before = job.batches.length;
          kills.push(victim);
          await killers[victim]();
          await until(`a batch after the kill of a ${victim}`, () => job.batches.length > before, 60_000);
        }
      }).finally(() =>
        process.stderr.write(`exactly once: seed ${seed}, ${kills.length} kills (${kills.join(', ')})\n`),
      );
    },
    TIMEOUT_MS,
  );
});

/** Processes that stood still, and come back when others have taken their place. */
const ZOMBIES: Readonly<Record<string, (run: Run) => Promise<void>>> = {
  'an executor in the middle of its transactions, whose tasks ran elsewhere': async ({ cluster, job }) => {
    const zombies = treeOf(cluster.executors[0] as ChildCommand);
    signal(zombies, 'SIGSTOP');
    try {
      const before = job.batches.length;
      await until('batches without it', () => job.batches.length > before + 2, 60_000);
    } finally {
      signal(zombies, 'SIGCONT');
    }
  },
  'an executor in the middle of its transactions, whose tasks are of an older run': async (run) => {
    const { cluster, application, job } = run;
    const zombies = treeOf(cluster.executors[0] as ChildCommand);
    signal(zombies, 'SIGSTOP');
    try {
      signal([await cluster.hostPid(application)], 'SIGKILL');
      const before = job.batches.length;
      await until('batches of the next run', () => job.batches.length > before + 2, 60_000);
    } finally {
      signal(zombies, 'SIGCONT');
    }
  },
  'a host whose successor has started': async ({ cluster, application, job }) => {
    const zombie = await cluster.hostPid(application);
    signal([zombie], 'SIGSTOP');
    signal([reaperOf(cluster.driver.pid)], 'SIGKILL');
    try {
      await cluster.kill(cluster.driver);
      const before = job.batches.length;
      await cluster.startDriver();
      await until('batches of the successor', () => job.batches.length > before + 2, 60_000);
    } finally {
      signal([zombie], 'SIGCONT');
    }
    await until('the end of the zombie', () => !isAlive(zombie), 10_000);
  },
};

describe('what zombies write does not count', () => {
  it(
    `when they come back: ${Object.keys(ZOMBIES).join('; ')}`,
    () =>
      everyRecordOnce(ZOMBIE_BATCHES, async (run) => {
        for (const disturb of Object.values(ZOMBIES)) {
          const { executors } = run.cluster;
          await disturb(run);
          // The next one is another executor.
          executors.push(...executors.splice(0, 1));
        }
      }),
    TIMEOUT_MS,
  );
});
