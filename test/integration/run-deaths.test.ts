// The driver is killed, with the host of an application, at each step of a batch: what becomes of that batch, and how soon there is another one.
import { randomUUID } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { CrashPoint } from '@millrace/common';
import { directoryLogFiles } from '../../packages/driver/src/application/log/log-files.ts';
import { readLog, recoverLog } from '../../packages/driver/src/application/log/log-reader.ts';
import type { PlannedBatch } from '../../packages/driver/src/application/log/log-record.ts';
import { armedBy } from '../crash/crash-run.ts';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { figure, spread } from '../support/figure.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';
/** Of all deaths. */
const ROUNDS = Number(process.env['MILLRACE_CRASH_ROUNDS'] ?? (LONG ? 10 : 1));
const TIMEOUT_MS = LONG ? 1_200_000 : 180_000;
const INTERVAL_MS = 1_000;
/** Of work for each of them. */
const BATCHES = 3;
const RECOVERED_MS_MAX = 10_000 + INTERVAL_MS;

const kafka = useKafkaUnderTest();
const arming = join(tmpdir(), `millrace-death-${randomUUID()}`);
afterAll(() => rmSync(arming, { force: true }));

/** What a death must leave, and what the next run must make of it. */
interface Death {
  readonly fault: number;
  readonly point: CrashPoint;
  readonly leavesPending: boolean;
}

const DEATHS: readonly Death[] = [
  { fault: 1, point: 'before-plan', leavesPending: false },
  { fault: 2, point: 'after-plan', leavesPending: true },
  { fault: 3, point: 'tasks-running', leavesPending: true },
  // The first of two outputs is visible.
  { fault: 4, point: 'output-done', leavesPending: true },
  { fault: 5, point: 'after-commit', leavesPending: false },
];

/** Kills both, starts another driver, and resolves with the ms from the kill to the first batch that the next run has committed. */
async function dieAt({ point, leavesPending }: Death, run: OnceRun): Promise<number> {
  const { cluster, logDirectory, more } = run;
  const state = () => recoverLog(directoryLogFiles(logDirectory));
  // For the batch that dies, and those around it.
  await more(BATCHES);
  writeFileSync(arming, point);
  await until(`the death at ${point}`, () => !existsSync(arming), 30_000, 1);
  const at = performance.now();
  await cluster.kill(cluster.driver);
  const left = state();
  const pending = left.state.pending;
  expect(pending !== undefined).toBe(leavesPending);
  await cluster.startDriver();
  const lastCommitted = left.state.lastCommitted ?? 0;
  await until('a batch of the next run', () => (state().state.lastCommitted ?? 0) > lastCommitted, 60_000);
  const ms = performance.now() - at;
  judge(logDirectory, left.epoch, lastCommitted, pending);
  return ms;
}

function judge(
  logDirectory: string,
  oldEpoch: number,
  lastCommitted: number,
  pending: PlannedBatch | undefined,
): void {
  const later = readLog(logDirectory).batches.filter(({ planned }) => planned.batchTime > lastCommitted);
  // Of the older run nothing is committed any more.
  for (const { committed } of later) if (committed) expect(committed.epoch).toBeGreaterThan(oldEpoch);
  const [first] = later;
  if (!pending) {
    expect(first?.planned.epoch).toBeGreaterThan(oldEpoch);
    return;
  }
  // The same batch: its time, its ranges and the hash of its plan.
  const { batchTime, planHash, inputs } = pending;
  expect(first?.planned).toMatchObject({ batchTime, planHash, inputs });
  expect(first?.committed).toBeDefined();
}

const FATES: Readonly<Record<number, string>> = {
  1: 'cut anew',
  2: 'ran again: same time, ranges and plan hash',
  3: 'ran again: same plan hash, 0 commits of the older epoch',
  4: 'ran again, what was visible was found: 0 records twice',
  5: 'stayed committed, the next one followed',
};

describe('every record is seen once by readers of what is committed, also behind a shuffle', () => {
  it(
    'when the driver and the host are killed before a batch is planned, behind its plan, in its tasks, between its outputs, and behind its commit',
    async () => {
      const recovered = new Map(DEATHS.map(({ fault }): [number, number[]] => [fault, []]));
      const disturb = async (run: OnceRun): Promise<void> => {
        for (let round = 0; round < ROUNDS; round++)
          for (const death of DEATHS) recovered.get(death.fault)?.push(await dieAt(death, run));
      };
      await everyRecordOnce({
        kafka,
        batches: BATCHES,
        timeoutMs: LONG ? 300_000 : 90_000,
        disturb,
        conf: { batchInterval: `${INTERVAL_MS}ms` },
        environment: armedBy(arming),
      });
      for (const [fault, ms] of recovered) {
        figure(fault, `${FATES[fault]}; first commit after the kill: ${spread(ms)}; 0 lost, 0 twice`);
        expect(Math.max(...ms)).toBeLessThan(RECOVERED_MS_MAX);
      }
    },
    TIMEOUT_MS,
  );
});
