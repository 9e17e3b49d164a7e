// Outputs with guarantee 'exactly-once', while processes die and come back: what a reader of committed records sees.
import { readFileSync } from 'node:fs';
import { describe, it } from '@jest/globals';
import { isAlive, randomInt, seededRandom } from '@millrace/common';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { childPids } from '../support/child-pids.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { seedOf } from '../support/seed.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
const TIMEOUT_MS = LONG ? 1_800_000 : 180_000;
const BATCHES = LONG ? 600 : 60;
const ZOMBIE_BATCHES = 60;
const RECORDS_TIMEOUT_MS = LONG ? 600_000 : 90_000;

const kafka = useKafkaUnderTest();

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
      const seed = seedOf('exactly-once outputs under kills');
      const random = seededRandom(seed);
      const kills: string[] = [];
      const disturb = async ({ cluster, application, job }: OnceRun): Promise<void> => {
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
      };
      const run = { kafka, batches: BATCHES, timeoutMs: RECORDS_TIMEOUT_MS, disturb };
      await everyRecordOnce(run).finally(() =>
        process.stderr.write(`exactly once: seed ${seed}, ${kills.length} kills (${kills.join(', ')})\n`),
      );
    },
    TIMEOUT_MS,
  );
});

/** Processes that stood still, and come back when others have taken their place. */
const ZOMBIES: Readonly<Record<string, (run: OnceRun) => Promise<void>>> = {
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
  'a slot in the middle of its transaction, whose task is of an older run': async (run) => {
    const { cluster, application, job } = run;
    const slots = childPids((cluster.executors[0] as ChildCommand).pid).slice(0, 1);
    signal(slots, 'SIGSTOP');
    try {
      signal([await cluster.hostPid(application)], 'SIGKILL');
      const before = job.batches.length;
      await until('batches of the next run', () => job.batches.length > before + 2, 60_000);
    } finally {
      signal(slots, 'SIGCONT');
    }
  },
  'a driver that has missed what its executors and hosts did': async ({ cluster, job }) => {
    const { pid } = cluster.driver;
    signal([pid], 'SIGSTOP');
    try {
      // Longer than executors may be silent.
      await pause(6_000);
    } finally {
      signal([pid], 'SIGCONT');
    }
    const before = job.batches.length;
    await until('batches after it', () => job.batches.length > before + 2, 60_000);
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
      everyRecordOnce({
        kafka,
        batches: ZOMBIE_BATCHES,
        timeoutMs: RECORDS_TIMEOUT_MS,
        disturb: async (run) => {
          for (const disturb of Object.values(ZOMBIES)) {
            const { executors } = run.cluster;
            await disturb(run);
            // The next one is another executor.
            executors.push(...executors.splice(0, 1));
          }
        },
      }),
    TIMEOUT_MS,
  );
});
