import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { KafkaClient } from '@millrace/kafka';
import { checkLedger, verdictText } from '../ledger/ledger-checker.ts';
import { CommittedReader } from './committed-reader.ts';
import { endOf } from './process-end.ts';
import { LedgerProducer } from './produce-ledger.ts';
import { type FollowedJob, TestCluster } from './test-cluster.ts';
import { until } from './until.ts';

const PARTITIONS = 4;
const OUT_PARTITIONS = 3;
const BATCH_RECORDS = 100;

export interface OnceRun {
  readonly cluster: TestCluster;
  readonly application: string;
  readonly job: FollowedJob;
  readonly brokers: string;
  /** Produces records for so many more batches. */
  readonly more: (batches: number) => Promise<void>;
  /** Records that readers of the first output see by now. */
  readonly seen: () => Promise<number>;
  /** The application's log. */
  readonly logDirectory: string;
}

export interface OnceOptions {
  readonly kafka: {
    readonly brokers: string;
    readonly client: KafkaClient;
    topic(prefix: string, partitions: number): Promise<string>;
  };
  /** At 100 records each, from the beginning. */
  readonly batches: number;
  /** For all records to be there, once nothing disturbs any more. */
  readonly timeoutMs: number;
  /** Does its worst. */
  readonly disturb: (run: OnceRun) => Promise<void>;
  /** The command that follows the job loses its driver for good. */
  readonly losesDriver?: boolean;
  /** Options of the job. */
  readonly conf?: Readonly<Record<string, string | number>>;
  /** Of the job, over what it is given otherwise. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the driver's and the executors' processes. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs the job over so many batches, with exactly-once outputs straight and behind a shuffle, disturbs it meanwhile, and judges both outputs and the log. */
export async function everyRecordOnce({
  kafka,
  batches,
  timeoutMs,
  disturb,
  losesDriver = false,
  conf = {},
  env = {},
  environment = {},
}: OnceOptions): Promise<void> {
  const { brokers, client } = kafka;
  const topic = await kafka.topic('once-in', PARTITIONS);
  const out = await kafka.topic('once-out', OUT_PARTITIONS);
  const shuffled = await kafka.topic('once-shuffled', OUT_PARTITIONS);
  const producer = new LedgerProducer(client, topic, PARTITIONS);
  const more = (of: number): Promise<void> => producer.append(Math.ceil((of * BATCH_RECORDS) / PARTITIONS));
  await more(batches);
  const copied = new CommittedReader(client, out, OUT_PARTITIONS);
  const moved = new CommittedReader(client, shuffled, OUT_PARTITIONS);
  const cluster = await TestCluster.start(brokers, 2, [], [], environment);
  const application = `once-${randomUUID().slice(0, 8)}`;
  let followed: FollowedJob | undefined;
  try {
    const job = cluster.submit(
      'exactly-once-job',
      {
        ONCE_NAME: application,
        ONCE_TOPIC: topic,
        ONCE_OUT: out,
        ONCE_SHUFFLED: shuffled,
        ONCE_ROW_MS: '1',
        ONCE_BATCH_RECORDS: String(BATCH_RECORDS),
        ...env,
      },
      conf,
    );
    followed = job;
    await until('the first batches', () => job.batches.length > 1, 30_000);
    const logDirectory = join(cluster.stateDir, 'applications', application, 'log');
    await disturb({ cluster, application, job, brokers, more, seen: () => copied.read(), logDirectory });
    await until(
      'all records',
      async () => (await copied.read()) >= producer.total && (await moved.read()) >= producer.total,
      timeoutMs,
    );
    const stopped = await cluster.cli(['stop', application, '--drain', '--driver', cluster.address]);
    expect(stopped.code).toBe(0);
    if (!losesDriver) expect(await endOf(job)).toBe(0);
    const checked = await cluster.cli(['check-log', application, '--state-dir', cluster.stateDir]);
    expect({ code: checked.code, stdout: checked.stdout }).toMatchObject({ code: 0 });
    await copied.read();
    await moved.read();
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
