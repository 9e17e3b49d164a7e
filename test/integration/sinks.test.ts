// What jobs write, on real executors.
import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { javaConsoleConsumer } from '../brokers/java-console.ts';
import { kafkaJars } from '../brokers/kafka-jars.ts';
import { socketsTo } from '../support/broker-sockets.ts';
import { childPids } from '../support/child-pids.ts';
import { savedBatches } from '../support/saved-files.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { recordsOf } from '../support/topic-records.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 180_000;
const PARTITIONS = 4;
const PER_PARTITION = 1500;

const kafka = useKafkaUnderTest();
const jars = await kafkaJars();
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start(kafka.brokers, 2, ['--slots', '2']);
}, TIMEOUT_MS);
afterAll(() => cluster?.close());

async function sizeOf(topic: string, partitions: number): Promise<number> {
  const tps = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await kafka.client.listOffsets(tps, 'latest');
  return [...ends.values()].reduce((sum, { offset }) => sum + offset, 0);
}

const application = (): string => `sink-${randomUUID().slice(0, 8)}`;

describe('sinks on two executors', () => {
  it(
    'lose nothing when an executor is killed while it writes: every record at least once, files complete and exactly once',
    async () => {
      const topic = await kafka.topic('sink-in', PARTITIONS);
      const out = await kafka.topic('sink-out', 3);
      const files = join(cluster.directory, 'files');
      const rows = Array.from({ length: PARTITIONS * PER_PARTITION }, (_, i) => ({
        p: i % PARTITIONS,
        s: Math.floor(i / PARTITIONS),
      }));
      const producer = kafka.client.producer();
      await producer.send(
        topic,
        rows.map((row) => ({ value: JSON.stringify(row), partition: row.p })),
      );
      const name = application();
      const job = cluster.submit('sink-job', {
        SINK_NAME: name,
        SINK_TOPIC: topic,
        SINK_OUT: out,
        SINK_FILES: join(files, 'rows'),
        SINK_PAUSE_MS: '40',
      });
      // In the middle of the first batches: some of a task's records are written, others not.
      await until('first records', async () => (await sizeOf(out, 3)) > 200, 60_000);
      const [victim] = cluster.executors.splice(0, 1);
      await cluster.kill(victim as ChildCommand);
      await cluster.startExecutor(['--slots', '2']);
      await until('files that are being written', () => existsSync(files), 60_000);
      const [second] = cluster.executors.splice(0, 1);
      await cluster.kill(second as ChildCommand);
      await cluster.startExecutor(['--slots', '2']);
      const wanted = rows.map((row) => JSON.stringify(row)).toSorted();
      await until(
        'all batches',
        () => job.batches.reduce((sum, { records }) => sum + records, 0) >= rows.length,
        120_000,
      );
      await cluster.cli(['stop', name, '--drain', '--driver', cluster.address]);
      expect({ code: await job.exited, errors: job.errors }).toEqual({ code: 0, errors: '[]' });

      const written = await recordsOf(kafka.client, out, 3);
      expect([...new Set(written.map(({ value }) => value ?? ''))].toSorted()).toEqual(wanted);
      for (const { key, value, headers } of written) {
        const { p, s } = JSON.parse(value ?? '') as { p: number; s: number };
        expect({ key, headers }).toEqual({ key: `p${p}`, headers: [['s', String(s)]] });
      }
      expect(
        savedBatches(join(files, 'rows'))
          .flatMap(({ lines }) => lines)
          .toSorted(),
      ).toEqual(wanted);
      // And nothing else.
      expect(readdirSync(files).filter((each) => !each.startsWith('rows-'))).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'open no more connections for more batches, tasks and outputs, and close them with the application',
    async () => {
      const out = await kafka.topic('sink-many', 6);
      const port = Number(kafka.brokers.split(':').at(-1));
      const sockets = (): number[] =>
        cluster.executors.flatMap(({ pid }) => childPids(pid)).map((slot) => socketsTo(slot, port));
      const before = sockets();
      const name = application();
      const job = cluster.submit('many-batches-job', { SINK_NAME: name, SINK_OUT: out });
      await until('50 batches', () => job.batches.length >= 50, 60_000);
      const early = sockets();
      await until('1,000 batches', () => job.batches.length >= 1000, 500_000);
      const late = sockets();
      await cluster.cli(['stop', name, '--drain', '--driver', cluster.address]);
      expect({ code: await job.exited, errors: job.errors }).toEqual({ code: 0, errors: '[]' });
      expect(await sizeOf(out, 6)).toBeGreaterThanOrEqual(1000 * 16);
      // Two sets of producer options: for each a connection for metadata, and one to write.
      expect(Math.max(...early)).toBeGreaterThan(0);
      expect(Math.max(...late)).toBeLessThanOrEqual(4 + Math.max(...before));
      await until('no connections of the producers', () => Math.max(...sockets()) <= Math.max(...before));
    },
    4 * TIMEOUT_MS,
  );
});

describe('examples/word-count', () => {
  it(
    'counts words from topic to topic; Java reads keys, counts and headers',
    async () => {
      const lines = await kafka.topic('lines', 2);
      const counts = await kafka.topic('word-counts', 2);
      const texts = ['the cat', 'The dog and the cat', '', 'größe!'];
      await kafka.client.producer().send(
        lines,
        texts.map((value, i) => ({ value, partition: i % 2 })),
      );
      const job = cluster.submit('../../examples/word-count/job', {
        LINES_TOPIC: lines,
        COUNTS_TOPIC: counts,
      });
      await until('the counts', async () => (await sizeOf(counts, 2)) >= 5, 60_000);
      await cluster.cli(['stop', 'word-count', '--drain', '--driver', cluster.address]);
      expect({ code: await job.exited, errors: job.errors }).toEqual({ code: 0, errors: '[]' });
      const written = await recordsOf(kafka.client, counts, 2);
      const wanted = ['and=1', 'cat=2', 'dog=1', 'größe=1', 'the=3'];
      expect(written.map(({ key, value }) => `${key}=${value}`).toSorted()).toEqual(wanted);
      const [batch] = job.batches.filter(({ records }) => records > 0);
      expect(written[0]?.headers).toEqual([['batch', String(batch?.batchTime)]]);
      if (!jars.ok) return;
      const read = await javaConsoleConsumer({
        brokers: kafka.brokers,
        topic: counts,
        maxMessages: 5,
        formatter: { 'print.key': 'true', 'key.separator': '=', 'print.headers': 'true' },
      });
      expect(read.toSorted()).toEqual(wanted.map((line) => `batch:${batch?.batchTime}=${line}`).toSorted());
    },
    TIMEOUT_MS,
  );
});
