import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { ledgerSize } from '../ledger/ledger-directory.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 120_000;

const kafka = useKafkaUnderTest();
let cluster: TestCluster;

beforeAll(async () => {
  cluster = await TestCluster.start(kafka.brokers, 1);
  kafka.atEnd(() => cluster.close());
}, TIMEOUT_MS);

async function started(records: number) {
  const topic = await kafka.topic('life', 1);
  await new LedgerProducer(kafka.client, topic, 1).append(records);
  const name = `life-${randomUUID().slice(0, 8)}`;
  const directory = join(cluster.directory, name);
  const job = cluster.submit('ledger-job', { LEDGER_NAME: name, LEDGER_DIR: directory, LEDGER_TOPIC: topic });
  const seen = (): number => ledgerSize(directory);
  await until('all records', () => seen() === records);
  return { topic, name, job, seen };
}

/** The host does not look while the topic is deleted and made again: only the topic's id can tell. */
async function recreatedUnseen(name: string, topic: string, records: number): Promise<void> {
  const host = await cluster.hostPid(name);
  process.kill(host, 'SIGSTOP');
  try {
    await kafka.client.deleteTopic(topic);
    await kafka.client.createTopic(topic, { partitions: 1 });
    if (records > 0) await new LedgerProducer(kafka.client, topic, 1).append(records);
  } finally {
    process.kill(host, 'SIGCONT');
  }
}

describe('a topic that is deleted and created again under a running job', () => {
  it.each([
    ['shorter than what was read', 0],
    ['longer than what was read', 3000],
  ])(
    'is detected when it is %s, and nothing of it is read',
    async (_, records) => {
      const { topic, name, job, seen } = await started(1000);
      await recreatedUnseen(name, topic, records);
      expect(await job.exited).toBe(7);
      expect(job.errors).toContain('TOPIC_RECREATED');
      expect(job.errors).toContain(topic);
      expect(seen()).toBe(1000);
    },
    TIMEOUT_MS,
  );
});

describe('partitions that are added under a running job', () => {
  it(
    'are read from their beginning, also what was written before they were discovered',
    async () => {
      const { topic, name, job, seen } = await started(100);
      await kafka.client.createPartitions(topic, 3);
      const producer = new LedgerProducer(kafka.client, topic, 3);
      producer.produced.set(0, 100);
      await producer.append(50);
      await until('the records of the new partitions', () => seen() === 250);
      await cluster.cli(['stop', name, '--drain', '--driver', cluster.address]);
      expect(await job.exited).toBe(0);
    },
    TIMEOUT_MS,
  );
});
