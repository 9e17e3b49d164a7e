import { randomUUID } from 'node:crypto';
import type { KafkaClient } from '@millrace/kafka';
import type { BenchCluster, JobRun } from './bench-cluster.ts';
import { type BenchResult, median, NOTHING, percentile, rounded } from './bench-result.ts';
import { type BenchSettings, withClient, withCluster } from './benchmark.ts';
import { countRecords, jsonTopic, PARTITIONS } from './topics.ts';
import { trickle } from './trickle.ts';

// About a second's worth.
const RECORDS = 1_000_000;
const SMALL_BATCH_RECORDS = 100;
const WARM_UP_BATCHES = 100;

type Guarantee = 'at-least-once' | 'exactly-once';

/** Every record to another topic in transactions: the records a second of large batches beside those of the plain echo, and the time of small ones. */
export async function txecho(settings: BenchSettings): Promise<BenchResult> {
  const { brokers, runs, say } = settings;
  return withClient(brokers, async (client) => {
    const topic = settings.topic ?? (await jsonTopic(client, settings.records ?? RECORDS, say));
    const records = await countRecords(client, topic);
    return withCluster(brokers, async (cluster) => {
      const rate = (ms: readonly number[]): number => Math.round((records / median(ms)) * 1000);
      const times: Record<Guarantee, number[]> = { 'at-least-once': [], 'exactly-once': [] };
      // The first turn warms up.
      for (let run = 0; run <= runs; run++) {
        for (const guarantee of ['at-least-once', 'exactly-once'] as const) {
          const { batches } = await echo(client, cluster, topic, guarantee, `${guarantee}-${run}`);
          const took = batches[0]?.processingMs ?? Number.NaN;
          say(`${run === 0 ? 'warm-up' : `run ${run}`}: ${guarantee} ${rate([took])} records/s`);
          if (run > 0) times[guarantee].push(took);
        }
      }
      const plain = await smallBatches(client, cluster, settings, 'at-least-once');
      const small = await smallBatches(client, cluster, settings, 'exactly-once');
      return {
        ...NOTHING,
        bench: 'txecho',
        records,
        recordsPerSecond: rate(times['exactly-once']),
        batchMsP50: rounded(percentile(small.times, 50)),
        batchMsP99: rounded(percentile(small.times, 99)),
        batches: small.times.length,
        settings: {
          topic,
          partitions: PARTITIONS,
          executors: 2,
          slots: 1,
          runs,
          plainRecordsPerSecond: rate(times['at-least-once']),
          ofPlain: rounded(rate(times['exactly-once']) / rate(times['at-least-once'])),
          smallBatchRecordsP50: median(small.records),
          smallBatchPlainMsP50: rounded(percentile(plain.times, 50)),
        },
      };
    });
  });
}

async function echo(
  client: KafkaClient,
  cluster: BenchCluster,
  topic: string,
  guarantee: Guarantee,
  name: string,
  small?: { readonly intervalMs: number; readonly batches: number },
): Promise<JobRun> {
  const out = `millrace-bench-out-${randomUUID().slice(0, 8)}`;
  await client.createTopic(out, { partitions: small ? 1 : PARTITIONS });
  try {
    return await cluster.run('echo', {
      env: {
        BENCH_TOPIC: topic,
        BENCH_NAME: `bench-${name}`,
        BENCH_OUT: out,
        BENCH_GUARANTEE: guarantee,
        ...(small && { BENCH_INTERVAL: String(small.intervalMs) }),
      },
      ...(small && { conf: { batches: small.batches } }),
    });
  } finally {
    await client.deleteTopic(out);
  }
}

/** Of about 100 records of one partition: one task, one transaction. */
async function smallBatches(
  client: KafkaClient,
  cluster: BenchCluster,
  { intervalMs, batches }: BenchSettings,
  guarantee: Guarantee,
): Promise<{ readonly times: readonly number[]; readonly records: readonly number[] }> {
  const topic = `millrace-bench-small-${randomUUID().slice(0, 8)}`;
  await client.createTopic(topic, { partitions: 1 });
  const load = trickle(client, topic, (SMALL_BATCH_RECORDS * 1000) / intervalMs, 1);
  try {
    const small = { intervalMs, batches: batches + WARM_UP_BATCHES };
    const run = await echo(client, cluster, topic, guarantee, `small-${guarantee}`, small);
    const measured = run.batches.slice(WARM_UP_BATCHES);
    return {
      times: measured.map(({ processingMs }) => processingMs),
      records: measured.map((batch) => batch.records),
    };
  } finally {
    await load.stop();
    await client.deleteTopic(topic);
  }
}
