import { createHash, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChildCommand } from '../../packages/cli/src/processes/child-command.ts';
import { mapOutputsOf } from '../support/map-outputs.ts';
import { TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 120_000;
const RECORDS = 5_000;
const PARTITIONS = 3;
/** However small, what map tasks leave is on the disk. */
const EXECUTOR = ['--slots', '1', '--shuffle-inline-bytes-max', '0'];

interface Click {
  readonly user: string;
  readonly page: string;
  readonly ms: number;
}

const clicks: readonly Click[] = Array.from({ length: RECORDS }, (_, i) => ({
  user: `u${(i * 7919) % 101}`,
  page: `/p/${(i * 31) % 17}`,
  ms: (i * 104_729) % 997,
}));

const kafka = useKafkaUnderTest();
let cluster: TestCluster;
let topic: string;
beforeAll(async () => {
  topic = await kafka.topic('shuffle', PARTITIONS);
  const producer = kafka.client.producer();
  const values = clicks.map(({ user, page, ms }) => `${user} ${page} ${ms}`);
  await producer.send(
    topic,
    values.map((value, i) => ({ value, partition: i % PARTITIONS })),
  );
  await producer.close();
  cluster = await TestCluster.start(kafka.brokers, 2, EXECUTOR);
}, TIMEOUT_MS);
afterAll(() => cluster?.close());

const byText = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();

function grouped(): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const { user, ms } of clicks) groups.set(user, [...(groups.get(user) ?? []), ms]);
  return groups;
}

async function results(conf: Readonly<Record<string, string | number>>): Promise<Map<string, unknown>> {
  const name = `shuffle-${randomUUID().slice(0, 8)}`;
  const job = cluster.submit('shuffle-job', { SHUFFLE_NAME: name, SHUFFLE_TOPIC: topic }, conf);
  const code = await job.exited;
  expect({ code, errors: job.errors, stderr: job.stderr }).toMatchObject({ code: 0, errors: '[]' });
  return new Map(
    job.output.map((text) => {
      const { name: of, value } = JSON.parse(text) as { name: string; value: unknown };
      return [of, value];
    }),
  );
}

describe('keyed operators on two executors', () => {
  it(
    'give what plain TypeScript gives',
    async () => {
      const made = await results({ batches: 1 });
      const groups = grouped();
      const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
      const sums = [...groups].map(([user, values]) => [user, sum(values)] as const);
      expect(made.get('sums')).toEqual(byText(sums));
      expect(made.get('groups')).toEqual(
        createHash('sha256')
          .update(byText([...groups].map(([user, ms]) => [user, ms.toSorted((a, b) => a - b)])).join())
          .digest('hex'),
      );
      expect(made.get('pages')).toEqual(byText([...new Set(clicks.map(({ page }) => page))]));
      expect(made.get('joined')).toEqual(
        byText([...groups].map(([user, values]) => [user, [sum(values), values.length]])),
      );
      const even = new Set(clicks.filter(({ ms }) => ms % 2 === 0).map(({ user }) => user));
      expect(made.get('missing')).toEqual(byText(sums.filter(([user]) => !even.has(user))));
      const sorted = made.get('sorted') as [string, number][];
      expect(sorted.map(([, total]) => total)).toEqual(
        sums.map(([, total]) => total).toSorted((a, b) => a - b),
      );
      expect(made.get('spread')).toBe(7);
      expect(made.get('pairs')).toBe(groups.size ** 2);
    },
    TIMEOUT_MS,
  );

  it(
    'go on when an executor is killed while others read what its map tasks left',
    async () => {
      const job = cluster.submit(
        'shuffle-fire-job',
        { SHUFFLE_NAME: `fire-${randomUUID().slice(0, 8)}`, SHUFFLE_TOPIC: topic, SHUFFLE_PAUSE_MS: '400' },
        { batches: 1 },
      );
      await until('map outputs on both executors', () =>
        cluster.executors.every((one) => mapOutputsOf(one.pid) > 0),
      );
      const [victim] = cluster.executors.splice(0, 1);
      await cluster.kill(victim as ChildCommand);
      await cluster.startExecutor(EXECUTOR);
      expect({ code: await job.exited, errors: job.errors }).toEqual({ code: 0, errors: '[]' });
      const counts = [...grouped()].map(([user, values]) => [user, values.length] as const);
      expect(JSON.parse(job.output.at(-1) ?? '')).toEqual(counts.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    },
    TIMEOUT_MS,
  );

  it('leave nothing on the disks of executors', async () => {
    await until('no map outputs', () => cluster.executors.every((one) => mapOutputsOf(one.pid) === 0));
  });
});
