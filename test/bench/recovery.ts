import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { KafkaClient } from '@millrace/kafka';
import { type FollowedJob, TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { type BenchResult, median, NOTHING, percentile } from './bench-result.ts';
import { type BenchSettings, withClient } from './benchmark.ts';
import { PARTITIONS } from './topics.ts';
import { trickle } from './trickle.ts';

const INTERVAL_MS = 1_000;
const BATCH_RECORDS = 100_000;
const PER_SECOND = 1_000;
const MISSED_MS = 8 * 3_600_000;
/** What has come meanwhile. */
const MISSED_RECORDS = 500_000;
const WAIT_MS = 60_000;

/** From a death to the next committed batch, at batches of a second; and what an application does that was away for eight hours. */
export async function recovery({ brokers, runs, say }: BenchSettings): Promise<BenchResult> {
  return withClient(brokers, async (client) => {
    const hostMs: number[] = [];
    const driverMs: number[] = [];
    await withJob(brokers, client, async ({ cluster, name, job }) => {
      for (let run = 1; run <= runs; run++) {
        const host = await cluster.hostPid(name);
        hostMs.push(await recovered(job, async () => void process.kill(host, 'SIGKILL')));
        const restart = async (): Promise<void> => {
          await cluster.kill(cluster.driver);
          await cluster.startDriver();
        };
        driverMs.push(await recovered(job, restart));
        say(`run ${run}: after its host ${hostMs.at(-1)} ms, after the driver ${driverMs.at(-1)} ms`);
      }
    });
    const missed = await withJob(brokers, client, (run) => catchUp(run, client, say), MISSED_MS);
    return {
      ...NOTHING,
      bench: 'recovery',
      batches: missed.batches,
      settings: {
        intervalMs: INTERVAL_MS,
        recordsPerSecond: PER_SECOND,
        runs,
        hostKillMsP50: median(hostMs),
        hostKillMsMax: percentile(hostMs, 100),
        driverKillMsP50: median(driverMs),
        driverKillMsMax: percentile(driverMs, 100),
        missedIntervals: missed.intervals,
        missedRecords: MISSED_RECORDS,
        catchUpFirstCommitMs: missed.firstMs,
        catchUpMs: missed.ms,
        catchUpLargestBatch: missed.largest,
        catchUpAtATime: missed.atATime,
        maxRecordsPerBatch: BATCH_RECORDS,
      },
    };
  });
}

interface Run {
  readonly cluster: TestCluster;
  readonly name: string;
  readonly topic: string;
  readonly job: FollowedJob;
  /** From now on processes that start have the right time. */
  readonly mendClock: () => void;
}

/** A job over a topic that records come to, on a cluster whose clocks are `behindMs` behind, committing batches. */
async function withJob<T>(
  brokers: string,
  client: KafkaClient,
  use: (run: Run) => Promise<T>,
  behindMs = 0,
): Promise<T> {
  const topic = `millrace-bench-recovery-${randomUUID().slice(0, 8)}`;
  await client.createTopic(topic, { partitions: PARTITIONS });
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const offset = join(directory, 'clock-ms');
  writeFileSync(offset, String(-behindMs));
  const environment = {
    BENCH_CLOCK_FILE: offset,
    NODE_OPTIONS: `--import=${fileURLToPath(new URL('shifted-clock.mjs', import.meta.url))}`,
  };
  const cluster = await TestCluster.start(brokers, 2, ['--slots', '1'], [], behindMs > 0 ? environment : {});
  const load = trickle(client, topic, PER_SECOND);
  try {
    const name = topic.slice(-17);
    const job = cluster.submit('../bench/jobs/recovery', {
      BENCH_NAME: name,
      BENCH_TOPIC: topic,
      BENCH_INTERVAL: String(INTERVAL_MS),
      BENCH_BATCH_RECORDS: String(BATCH_RECORDS),
    });
    await until('batches', () => job.batches.length >= 3, WAIT_MS);
    return await use({ cluster, name, topic, job, mendClock: () => writeFileSync(offset, '0') });
  } finally {
    await load.stop();
    await cluster.close();
    await client.deleteTopic(topic);
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Commit {
  /** By the driver's clock. */
  readonly at: number;
  readonly records: number;
  readonly processingMs: number;
  readonly coalescedIntervals: number;
}

function commitsOf(job: FollowedJob): readonly Commit[] {
  return job.events
    .filter(({ kind }) => kind === 'batch')
    .map((event) => ({ ...(event['batch'] as Omit<Commit, 'at'>), at: Number(event['at']) }));
}

/** ms from the beginning of `kill` to the next commit. */
async function recovered(job: FollowedJob, kill: () => Promise<void>): Promise<number> {
  // In the middle of an interval: what was committed just before is told by now.
  const before = commitsOf(job).length;
  await until('a commit', () => commitsOf(job).length > before, WAIT_MS);
  await new Promise((resolve) => setTimeout(resolve, INTERVAL_MS / 2));
  const killedAt = Date.now();
  await kill();
  return (
    (await until('the next commit', () => commitsOf(job).find(({ at }) => at > killedAt), WAIT_MS)).at -
    killedAt
  );
}

async function catchUp(
  { cluster, topic, job, mendClock }: Run,
  client: KafkaClient,
  say: (text: string) => void,
) {
  await cluster.kill(cluster.driver);
  const producer = client.producer();
  const chunk = Array.from({ length: 5_000 }, (_, i) => ({
    partition: i % PARTITIONS,
    value: 'x'.repeat(100),
  }));
  for (let sent = 0; sent < MISSED_RECORDS; sent += chunk.length) await producer.send(topic, chunk);
  await producer.close();
  mendClock();
  const before = commitsOf(job).length;
  const startedAt = Date.now();
  await cluster.startDriver();
  const caughtUp = () => {
    const commits = commitsOf(job).slice(before);
    const read = commits.reduce((sum, { records }) => sum + records, 0);
    const isOver = read >= MISSED_RECORDS && (commits.at(-1)?.records ?? BATCH_RECORDS) < BATCH_RECORDS;
    return isOver ? commits : undefined;
  };
  const commits = await until('the end of catching up', caughtUp, WAIT_MS);
  const [first] = commits;
  const result = {
    batches: commits.length,
    intervals: Math.max(...commits.map(({ coalescedIntervals }) => coalescedIntervals)),
    firstMs: (first?.at ?? Number.NaN) - startedAt,
    ms: (commits.at(-1)?.at ?? Number.NaN) - startedAt,
    largest: Math.max(...commits.map(({ records }) => records)),
    // A batch begins when the one before is committed.
    atATime: commits.every(
      ({ at, processingMs }, n) => n === 0 || at - processingMs >= (commits[n - 1]?.at ?? 0) - 50,
    ),
  };
  say(`eight hours later: ${JSON.stringify(result)}`);
  return result;
}
