import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { topicPartitionKey } from '@millrace/kafka';
import { endOf } from '../support/process-end.ts';
import { LedgerProducer } from '../support/produce-ledger.ts';
import type { CliResult, FollowedJob } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';
import { useTestCluster } from '../support/use-test-cluster.ts';

const TIMEOUT_MS = 180_000;

const kafka = useKafkaUnderTest();
const cluster = useTestCluster(kafka);

const cli = (...args: readonly string[]): Promise<CliResult> =>
  cluster.cli([...args, '--driver', cluster.address]);

async function started(mirror: boolean, more: Readonly<Record<string, string>> = {}) {
  const topic = await kafka.topic('offsets', 2);
  await new LedgerProducer(kafka.client, topic, 2).append(50);
  const name = `offsets-${randomUUID().slice(0, 8)}`;
  const env = { JOB_NAME: name, JOB_TOPIC: topic, JOB_GROUP: name, JOB_MIRROR: String(mirror), ...more };
  const submit = () => cluster.submit('offsets-job', env);
  const job = submit();
  await until('all records', () => job.batches.some(({ records }) => records === 100));
  const committed = async (): Promise<readonly (number | undefined)[]> => {
    const partitions = [0, 1].map((partition) => ({ topic, partition }));
    const offsets = await kafka.client.committedOffsets(name, partitions);
    return partitions.map((tp) => offsets.get(topicPartitionKey(tp))?.offset);
  };
  return { topic, name, job, submit, committed, output: () => job.output };
}

/** [partition, position, target, latest] of each */
function positions({ stdout }: CliResult): unknown[] {
  const { partitions } = JSON.parse(stdout) as {
    partitions: { partition: number; position: number; target: number | null; latest: number | null }[];
  };
  return partitions.map(({ partition, position, target, latest }) => [partition, position, target, latest]);
}

describe('the offsets of an application', () => {
  it(
    'are shown, followed by the group, moved when it is stopped, and told by its log',
    async () => {
      const { name, job, submit, committed } = await started(true);
      expect(positions(await cli('offsets', 'show', name, '--json'))).toEqual([
        [0, 50, null, null],
        [1, 50, null, null],
      ]);
      await until('the group follows', async () => String(await committed()) === '50,50');

      const refused = await cli('offsets', 'reset', name, '--to-earliest', '--execute');
      expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('Stop it first')]);
      await cli('stop', name);
      expect(await endOf(job)).toBe(0);

      const tried = await cli('offsets', 'set', name, `${await nameOf(name, 0)}=48`, '--json');
      expect(positions(tried)).toEqual([
        [0, 50, 48, 50],
        [1, 50, null, 50],
      ]);
      expect(positions(await cli('offsets', 'show', name, '--ends', '--json'))).toEqual([
        [0, 50, null, 50],
        [1, 50, null, 50],
      ]);

      const done = await cli('offsets', 'set', name, `${await nameOf(name, 0)}=48`, '--execute');
      expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('reads 2 again')]);
      const again = submit();
      await until('the two again', () => again.output.some((line) => line.startsWith('0 [48, 50) 2')));
      await cli('stop', name);
      expect(await endOf(again)).toBe(0);
      expect(await committed()).toEqual([50, 50]);

      const { stdout } = await cli('log', name, '--json', '--tail', '0');
      const entries = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind: string; state?: string; moves?: object[] });
      expect(entries.filter(({ kind }) => kind === 'moved')).toMatchObject([
        { reason: 'request', moves: [{ partition: 0, from: 50, to: 48 }] },
      ]);
      expect(entries.filter(({ state }) => state !== undefined && state !== 'committed')).toEqual([]);
    },
    TIMEOUT_MS,
  );

  it(
    'reach Kafka by commitAsync, also those of the last batch before it is stopped',
    async () => {
      const { name, job, committed } = await started(false);
      await cli('stop', name);
      expect(await endOf(job)).toBe(0);
      expect(await committed()).toEqual([50, 50]);
    },
    TIMEOUT_MS,
  );
});

/** What the accumulators of all batches were last. */
function counts(job: FollowedJob): Readonly<Record<string, unknown>> {
  const changes = job.events.flatMap(
    (event) =>
      (event['batch'] as { accumulators?: { name: string; value: unknown }[] } | undefined)?.accumulators ??
      [],
  );
  return Object.fromEntries(changes.map(({ name, value }) => [name, value]));
}

describe('records that do not decode', () => {
  it(
    'are skipped and counted, or fail the job and are stepped over by hand',
    async () => {
      const skipping = await started(true, { JOB_POISON: 'skip' });
      const failing = await started(true);
      for (const { topic } of [skipping, failing]) {
        const values = ['{"p":0}', '{"broken', '{"p":0}'];
        await kafka.client.producer().send(
          topic,
          values.map((value) => ({ partition: 0, value })),
        );
      }
      await until('the count', () => Object.keys(counts(skipping.job)).length > 0);
      expect(counts(skipping.job)).toEqual({ [`skipped, undecodable (topics ${skipping.topic})`]: 1 });
      expect(skipping.output()).toContain('0 [50, 53) 2');
      expect(await cluster.status(skipping.name)).toMatchObject({ skippedUndecodable: 1, deadLetters: 0 });

      expect(await endOf(failing.job)).toBe(1);
      expect(failing.job.errors).toContain('VALUE_DECODE');
      expect((await cli('offsets', 'show', failing.name)).stdout).toContain('50  [50, 53)');
      const anew = ['offsets', 'reset', failing.name, '--shift-by', '0'];
      const dry = await cli(...anew);
      expect([dry.stdout, dry.stderr]).toEqual([
        expect.stringContaining('it is given up'),
        expect.stringContaining('add --execute'),
      ]);
      await cli(...anew, '--execute');
      expect((await cli('offsets', 'show', failing.name)).stdout).not.toContain('planned');
      expect(
        (await cli('offsets', 'set', failing.name, `${failing.topic}-0=52`, '--execute')).stdout,
      ).toContain('skips 2');
      const again = failing.submit();
      await until('what is behind it', () => again.output.includes('0 [52, 53) 1'));
      await cli('stop', failing.name);
      await cli('stop', skipping.name);
    },
    TIMEOUT_MS,
  );
});

async function nameOf(application: string, partition: number): Promise<string> {
  const { stdout } = await cli('offsets', 'show', application, '--json');
  const { partitions } = JSON.parse(stdout) as { partitions: { topic: string; partition: number }[] };
  return `${partitions[0]?.topic}-${partition}`;
}
