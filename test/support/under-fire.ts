import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { KafkaClient } from '@millrace/kafka';
import { checkLogDirectory } from '../../packages/driver/src/application/log/check-log.ts';
import { checkLedger, verdictText } from '../ledger/ledger-checker.ts';
import { ledgerSize, readLedgerDirectory } from '../ledger/ledger-directory.ts';
import { readOffsetLog, verdictOfLog } from '../ledger/offset-log-checker.ts';
import { endOf } from './process-end.ts';
import { LedgerProducer } from './produce-ledger.ts';
import { type FollowedJob, TestCluster } from './test-cluster.ts';
import { until } from './until.ts';

const PARTITIONS = 4;
const PER_PARTITION = 4000;
const TIMEOUT_MS = 120_000;

export interface Run {
  readonly cluster: TestCluster;
  readonly application: string;
  readonly job: FollowedJob;
  /** Records seen so far, whatever became of their batches. */
  seen(): number;
}

/** Produces, runs the ledger job, lets `disturb` do its worst in the middle, waits until everything has been seen, and judges. */
export async function underFire(
  { brokers, client }: { readonly brokers: string; readonly client: KafkaClient },
  disturb: (run: Run) => Promise<void>,
): Promise<void> {
  const topic = `ledger-${randomUUID()}`;
  await client.createTopic(topic, { partitions: PARTITIONS });
  const producer = new LedgerProducer(client, topic, PARTITIONS);
  const cluster = await TestCluster.start(brokers);
  const application = `ledger-${randomUUID().slice(0, 8)}`;
  const ledger = join(cluster.directory, 'ledger');
  const seen = (): number => ledgerSize(ledger);
  try {
    await producer.append(PER_PARTITION / 2);
    const job = cluster.submit('ledger-job', {
      LEDGER_NAME: application,
      LEDGER_DIR: ledger,
      LEDGER_TOPIC: topic,
      LEDGER_TASK_MS: '100',
    });
    await until('the first batches', () => seen() > 0, TIMEOUT_MS);
    await disturb({ cluster, application, job, seen });
    await producer.append(PER_PARTITION / 2);
    await until('all records', () => seen() >= producer.total, 60_000);
    const stopped = await cluster.cli(['stop', application, '--drain', '--driver', cluster.address]);
    expect(stopped.code).toBe(0);
    expect(await endOf(job)).toBe(0);
    expect(verdictText(checkLedger(producer.produced, readLedgerDirectory(ledger)))).toBe('OK');
    const log = join(cluster.stateDir, 'applications', application, 'log');
    expect(verdictOfLog(readOffsetLog(log), producer.produced)).toBe('OK');
    expect((await checkLogDirectory(log))?.findings).toEqual([]);
  } finally {
    await cluster.close();
    await client.deleteTopic(topic);
  }
}
