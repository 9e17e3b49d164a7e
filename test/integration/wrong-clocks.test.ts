// The wall clocks of the driver, its hosts and the executors jump by an hour, either way, and run too fast, while batches run.
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from '@jest/globals';
import { everyRecordOnce, type OnceRun } from '../support/every-record-once.ts';
import { figure } from '../support/figure.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 180_000;
const INTERVAL_MS = 500;
const HOUR_MS = 3_600_000;
/** Of each clock. */
const BATCHES = 5;
/** What a busy machine may miss: an hour has 7,200 intervals. */
const MISSED_MAX = 20;
const STALL_MS_MAX = 5_000;

const kafka = useKafkaUnderTest();
const directory = mkdtempSync(join(tmpdir(), 'millrace-clock-'));
const file = join(directory, 'clock');
afterAll(() => rmSync(directory, { recursive: true }));

function setClocks(offsetMs: number, rate: number): void {
  writeFileSync(`${file}.tmp`, `${offsetMs} ${rate}`);
  renameSync(`${file}.tmp`, file);
}

/** Resolves when these processes go by that clock. */
async function untilKept(pids: readonly number[], offsetMs: number, rate: number): Promise<void> {
  for (const pid of pids) {
    const now = await until(`the clock of ${pid}`, () => {
      const [offset, by, time] = readFileSync(`${file}.${pid}`, 'utf8').split(' ').map(Number);
      return offset === offsetMs && by === rate && time;
    });
    expect(Math.abs(now - Date.now() - offsetMs)).toBeLessThan(HOUR_MS / 2);
  }
}

const CLOCKS: readonly (readonly [string, number, number])[] = [
  ['right', 0, 1],
  ['an hour ahead', HOUR_MS, 1],
  ['an hour behind', -HOUR_MS, 1],
  ['10 % too fast', 0, 1.1],
];

interface Measured {
  /** Of each clock. */
  readonly stalls: readonly number[];
  /** Intervals in one batch, at most. */
  readonly missed: number;
  readonly times: readonly number[];
}

/** Longest time between two of some batches, as this process's clock has it, in ms. */
async function longestWait({ job }: OnceRun, clocks: string): Promise<number> {
  let longest = 0;
  for (let batch = 0; batch < BATCHES; batch++) {
    const before = job.batches.length;
    const at = performance.now();
    await until(`a batch while clocks are ${clocks}`, () => job.batches.length > before, 30_000, 5);
    longest = Math.max(longest, performance.now() - at);
  }
  return longest;
}

async function wrongClocks(run: OnceRun): Promise<Measured> {
  const { job, cluster, application, more } = run;
  const stalls: number[] = [];
  const processes = [cluster.driver, ...cluster.executors].map(({ pid }) => pid);
  const host = await cluster.hostPid(application);
  for (const [name, offsetMs, rate] of CLOCKS) {
    await more(BATCHES);
    setClocks(offsetMs, rate);
    const keep = untilKept([...processes, host], offsetMs, rate);
    const [longest] = await Promise.all([longestWait(run, name), keep]);
    stalls.push(longest);
  }
  const missed = Math.max(...job.batches.map(({ coalescedIntervals }) => coalescedIntervals));
  // A clock that is wrong when a run starts again is nothing else.
  setClocks(-HOUR_MS, 1);
  await untilKept(processes, -HOUR_MS, 1);
  await more(BATCHES);
  process.kill(host, 'SIGKILL');
  const before = job.batches.length;
  await until('batches of the next run', () => job.batches.length > before + BATCHES, 30_000);
  await untilKept([await cluster.hostPid(application)], -HOUR_MS, 1);
  return { stalls, missed, times: job.batches.map(({ batchTime }) => batchTime) };
}

describe('every record is seen once by readers of what is committed, also behind a shuffle', () => {
  it(
    'when clocks jump by an hour, ahead and back, and run 10 % too fast: no flood of batches, no stall, times go on',
    async () => {
      setClocks(0, 1);
      let measured: Measured = { stalls: [], missed: 0, times: [] };
      await everyRecordOnce({
        kafka,
        batches: BATCHES,
        timeoutMs: 60_000,
        disturb: async (run) => {
          measured = await wrongClocks(run);
        },
        conf: { batchInterval: `${INTERVAL_MS}ms` },
        environment: {
          WRONG_CLOCK_FILE: file,
          NODE_OPTIONS: `--import=${fileURLToPath(new URL('../support/wrong-clock.mjs', import.meta.url))}`,
        },
      });
      const { stalls, missed, times } = measured;
      const steps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
      figure(
        23,
        `${times.length} batches: times rise by ${Math.min(...steps) / INTERVAL_MS} to ${Math.max(...steps) / INTERVAL_MS} intervals, at most ${missed} missed at once under a jump; longest wait for a batch at an interval of ${INTERVAL_MS} ms: ${CLOCKS.map(([name], index) => `${name} ${Math.round(stalls[index] ?? 0)} ms`).join(', ')}`,
      );
      expect(Math.min(...steps)).toBeGreaterThanOrEqual(INTERVAL_MS);
      expect(missed).toBeLessThanOrEqual(MISSED_MAX);
      for (const stall of stalls) expect(stall).toBeLessThan(STALL_MS_MAX);
    },
    TIMEOUT_MS,
  );
});
