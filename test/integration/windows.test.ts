import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { KafkaClient } from '@millrace/kafka';
import { type LoggedBatch, readLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { type FollowedJob, TestCluster } from '../support/test-cluster.ts';
import { until } from '../support/until.ts';
import { useKafkaUnderTest } from '../support/use-kafka-under-test.ts';

const TIMEOUT_MS = 240_000;
const PARTITIONS = 2;

const kafka = useKafkaUnderTest();
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await TestCluster.start(kafka.brokers, 2);
}, TIMEOUT_MS);
afterAll(() => cluster?.close());

interface Told {
  readonly window: string;
  readonly time: number;
  readonly rows: readonly unknown[];
}

const byText = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();

/** Offsets of the batches with times in (after, end], as the log has them. */
function offsetsOf(batches: readonly LoggedBatch[], after: number, end: number): readonly number[] {
  return batches
    .filter(({ planned }) => planned.batchTime > after && planned.batchTime <= end)
    .flatMap(({ planned }) => planned.inputs.flatMap(({ ranges }) => ranges))
    .flatMap(({ fromOffset, untilOffset }) =>
      Array.from({ length: untilOffset - fromOffset }, (_, i) => fromOffset + i),
    );
}

/** What a window of the batches that are in the log must have. */
function expected(batches: readonly LoggedBatch[], { window, time }: Told): readonly unknown[] {
  const sum = (offsets: readonly number[]): number => offsets.reduce((a, b) => a + b, 0);
  if (window === 'count') return [offsetsOf(batches, time - 2_000, time).length];
  const [duration, slide] = window === 'tumbling' ? [2_000, 2_000] : [3_000, 1_000];
  const end = time - (time % slide);
  const offsets = offsetsOf(batches, end - duration, end);
  if (window === 'tumbling') return offsets.length === 0 ? [] : [sum(offsets)];
  const keys = [...new Set(offsets.map((offset) => offset % 5))];
  return keys.map((key) => [key, sum(offsets.filter((offset) => offset % 5 === key))]);
}

/** Produces a little now and then, until it is stopped. */
function trickle(client: KafkaClient, topic: string): { readonly stop: () => Promise<void> } {
  const producer = client.producer();
  const stopped = new AbortController();
  const done = (async () => {
    for (let i = 0; !stopped.signal.aborted; i++) {
      await producer.send(topic, [
        { partition: i % PARTITIONS, value: `${i}` },
        { partition: 0, value: '' },
      ]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await producer.close();
  })();
  return {
    stop() {
      stopped.abort();
      return done;
    },
  };
}

/** What the job said belongs to why it did not. */
async function untilJob(job: FollowedJob, what: string, condition: () => boolean): Promise<void> {
  try {
    await until(what, condition, 60_000);
  } catch (cause) {
    throw new Error(`${what}: ${job.errors}\n${job.stderr}\n${job.output.join('\n')}`, { cause });
  }
}

describe('windows on two executors', () => {
  it(
    'have what the log says that they have, also when the application host and an executor are killed',
    async () => {
      const name = `windows-${randomUUID().slice(0, 8)}`;
      const topic = await kafka.topic('windows', PARTITIONS);
      const records = trickle(kafka.client, topic);
      const job = cluster.submit('windows-job', { WINDOWS_NAME: name, WINDOWS_TOPIC: topic });
      const told = (): Told[] => job.output.map((text) => JSON.parse(text) as Told);
      const sliding = (): number => told().filter(({ window }) => window === 'sliding').length;
      try {
        await untilJob(job, 'windows', () => sliding() >= 4);
        process.kill(await cluster.hostPid(name), 'SIGKILL');
        let before = sliding();
        await untilJob(job, 'windows after the restart', () => sliding() >= before + 3);
        before = sliding();
        const [victim] = cluster.executors.splice(0, 1);
        if (victim) await cluster.kill(victim);
        await cluster.startExecutor();
        await untilJob(job, 'windows without the executor', () => sliding() >= before + 4);
      } finally {
        await records.stop();
      }
      const stopped = await cluster.cli(['stop', name, '--drain', '--driver', cluster.address]);
      expect({ code: stopped.code, errors: job.errors }).toEqual({ code: 0, errors: '[]' });
      await job.exited;

      const { batches } = readLog(join(cluster.stateDir, 'applications', name, 'log'));
      for (const each of told())
        expect({ ...each, rows: byText(each.rows) }).toEqual({
          ...each,
          rows: byText(expected(batches, each)),
        });
      expect(told().some(({ window, rows }) => window === 'tumbling' && rows.length > 0)).toBe(true);
    },
    TIMEOUT_MS,
  );
});

describe('examples/top-pages', () => {
  it(
    'shows the pages of all batches of the last minute',
    async () => {
      const topic = await kafka.topic('top-pages', PARTITIONS);
      const producer = kafka.client.producer();
      const view = (page: string, status = 200) => ({ value: JSON.stringify({ page, status }) });
      await producer.send(topic, [view('/home'), view('/home'), view('/cart'), view('/gone', 404)]);
      const job = cluster.submit(
        '../../examples/top-pages/job',
        { PAGE_VIEWS_TOPIC: topic },
        { batchInterval: '500ms' },
      );
      const shows = (pages: string) => () => job.output.some((line) => line.includes(pages));
      await untilJob(job, 'the first window', shows('1. /home 2  2. /cart 1'));
      await producer.send(topic, [view('/cart'), view('/cart')]);
      await producer.close();
      await untilJob(job, 'both batches in one window', shows('1. /cart 3  2. /home 2'));
      await cluster.cli(['stop', 'top-pages', '--drain', '--driver', cluster.address]);
      expect({ code: await job.exited, errors: job.errors }).toEqual({ code: 0, errors: '[]' });
    },
    TIMEOUT_MS,
  );
});
