import { readFileSync } from 'node:fs';
import { describe, it } from '@jest/globals';
import { isAlive } from '@millrace/common';
import { underFire } from '../support/under-fire.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

// Processes that stand still (SIGSTOP: a paused container, a swapping machine) and come back when others have taken their place.
const TIMEOUT_MS = 180_000;
const STILL_MS = 20_000;

const kafka = useKafkaUnderTest();

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, STILL_MS));

/** The shell that ends a driver's hosts when it is killed: here it has been killed first. */
function reaperOf(driverPid: number): number {
  const children = readFileSync(`/proc/${driverPid}/task/${driverPid}/children`, 'utf8').trim().split(' ');
  const found = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('/bin/sh'));
  if (found === undefined) throw new Error(`driver ${driverPid} has no reaper`);
  return Number(found);
}

describe('every record is seen once, in order', () => {
  it(
    'when a host comes back after its successor has started: it is fenced, and leaves',
    () =>
      underFire(kafka, async ({ cluster, application, job }) => {
        const zombie = await cluster.hostPid(application);
        process.kill(zombie, 'SIGSTOP');
        process.kill(reaperOf(cluster.driver.pid), 'SIGKILL');
        try {
          await cluster.kill(cluster.driver);
          const before = job.batches.length;
          await cluster.startDriver();
          await until('batches of the successor', () => job.batches.length > before, 60_000);
          await pause();
        } finally {
          process.kill(zombie, 'SIGCONT');
        }
        await until('the end of the zombie', () => !isAlive(zombie), 10_000);
      }),
    TIMEOUT_MS,
  );

  it(
    'when a host stands still under a driver that lives: it is replaced',
    () =>
      underFire(kafka, async ({ cluster, application, job }) => {
        const still = await cluster.hostPid(application);
        const before = job.batches.length;
        process.kill(still, 'SIGSTOP');
        await until('the end of the host', () => !isAlive(still), STILL_MS);
        await until('batches after it', () => job.batches.length > before, STILL_MS);
      }),
    TIMEOUT_MS,
  );

  it(
    'when the driver stands still and goes on',
    () =>
      underFire(kafka, async ({ cluster, job }) => {
        const { pid } = cluster.driver;
        process.kill(pid, 'SIGSTOP');
        try {
          await pause();
        } finally {
          process.kill(pid, 'SIGCONT');
        }
        const before = job.batches.length;
        await until('batches after it', () => job.batches.length > before, 60_000);
      }),
    TIMEOUT_MS,
  );
});
