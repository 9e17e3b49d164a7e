import { randomUUID } from 'node:crypto';
import { resolveConfig } from '@millrace/common';
import {
  connectKafka,
  KAFKA_OPTIONS,
  type KafkaClient,
  type KafkaOptions,
  type OffsetRange,
  offsetRange,
} from '@millrace/kafka';
import { BareLoop } from './bare-loop.ts';
import type { BareMode } from './bare-reader.ts';
import { BenchCluster, type JobRun, type MemorySampling } from './bench-cluster.ts';
import { type BenchResult, median, NOTHING, percentile, rounded } from './bench-result.ts';
import { closures } from './closures.ts';
import { countRecords, jsonTopic, PARTITIONS, partitionsOf } from './topics.ts';
import { trickle } from './trickle.ts';

export interface BenchSettings {
  readonly brokers: string;
  readonly records: number;
  readonly runs: number;
  /** A topic that is there already; absent: the benchmark's own. */
  readonly topic: string | undefined;
  /** ms, of tiny and empty. */
  readonly intervalMs: number;
  /** Measured batches of tiny and empty, after the warm-up. */
  readonly batches: number;
  readonly say: (text: string) => void;
}

export type Benchmark = (settings: BenchSettings) => Promise<BenchResult>;

export const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  count: (settings) => throughput('count', settings),
  json: (settings) => throughput('json', settings),
  jsonagg: (settings) => throughput('jsonagg', settings),
  tiny: (settings) => latency('tiny', settings, 1000),
  twostage: (settings) => latency('twostage', settings, 1000),
  empty: (settings) => latency('empty', settings, 0),
  startup,
  produce,
  closures,
};

const RECORDS_PER_SECOND_TINY = 1000;
const WARM_UP_BATCHES = 200;

async function withClient<T>(
  brokers: string,
  use: (client: KafkaClient, options: KafkaOptions) => Promise<T>,
): Promise<T> {
  const options = resolveConfig(KAFKA_OPTIONS, { brokers, clientId: 'millrace-bench' }, 'bench');
  const client = connectKafka(options);
  try {
    return await use(client, options);
  } finally {
    await client.close();
  }
}

async function withCluster<T>(brokers: string, use: (cluster: BenchCluster) => Promise<T>): Promise<T> {
  const cluster = await BenchCluster.start(brokers);
  try {
    return await use(cluster);
  } finally {
    await cluster.stop();
  }
}

async function wholeTopic(client: KafkaClient, topic: string): Promise<readonly OffsetRange[]> {
  const partitions = await partitionsOf(client, topic);
  const [metadata] = await client.topics([topic]);
  const [low, high] = await Promise.all([
    client.listOffsets(partitions, 'earliest'),
    client.listOffsets(partitions, 'latest'),
  ]);
  return partitions.map(({ partition }) => {
    const key = `${topic}-${partition}` as const;
    const range = offsetRange(topic, partition, low.get(key)?.offset ?? 0, high.get(key)?.offset ?? 0);
    return metadata?.topicId === undefined ? range : { ...range, topicId: metadata.topicId };
  });
}

/** One batch over the whole topic; engine and bare loop take turns, and the medians are compared. */
async function throughput(bench: BareMode, settings: BenchSettings): Promise<BenchResult> {
  const { brokers, runs, say } = settings;
  return withClient(brokers, async (client, options) => {
    const topic = settings.topic ?? (await jsonTopic(client, settings.records, say));
    const records = await countRecords(client, topic);
    const ranges = await wholeTopic(client, topic);
    const bare = await BareLoop.start();
    try {
      return await withCluster(brokers, async (cluster) => {
        const engineMs: number[] = [];
        const bareMs: number[] = [];
        let last: JobRun | undefined;
        const jobRun = (run: number, memory: MemorySampling): Promise<JobRun> =>
          cluster.run(bench, { env: { BENCH_TOPIC: topic, BENCH_NAME: `bench-${bench}-${run}` }, memory });
        // The first turn warms both up.
        for (let run = 0; run <= runs; run++) {
          const bareRun = await bare.run(options, ranges, bench);
          last = await jobRun(run, 'none');
          const took = last.batches[0]?.processingMs ?? Number.NaN;
          const rate = (ms: number): string => `${rounded(records / ms / 1000)} M records/s`;
          say(`${run === 0 ? 'warm-up' : `run ${run}`}: ${rate(took)}, bare loop ${rate(bareRun)}`);
          if (run === 0) continue;
          engineMs.push(took);
          bareMs.push(bareRun);
        }
        const { memoryMb: memory } = await jobRun(runs + 1, 'throughout');
        return {
          ...NOTHING,
          bench,
          records,
          recordsPerSecond: Math.round((records / median(engineMs)) * 1000),
          bareLoopRecordsPerSecond: Math.round((records / median(bareMs)) * 1000),
          batchMsP50: rounded(median(engineMs)),
          firstBatchMs: rounded(last?.firstBatchMs ?? Number.NaN),
          memoryMb: {
            driver: rounded(memory.driver),
            host: rounded(memory.host),
            executors: rounded(memory.executors),
          },
          batches: runs,
          settings: { topic, partitions: ranges.length, executors: 2, slots: 1, runs },
        };
      });
    } finally {
      bare.stop();
    }
  });
}

/** Many small batches: processing time and the age of records when they have been processed. */
async function latency(
  bench: 'tiny' | 'twostage' | 'empty',
  settings: BenchSettings,
  perSecond: number,
): Promise<BenchResult> {
  const { brokers, intervalMs, batches } = settings;
  return withClient(brokers, async (client) => {
    const topic = settings.topic ?? `millrace-bench-${bench}-${randomUUID().slice(0, 8)}`;
    if (settings.topic === undefined) await client.createTopic(topic, { partitions: PARTITIONS });
    const load = perSecond > 0 ? trickle(client, topic, RECORDS_PER_SECOND_TINY) : undefined;
    try {
      return await withCluster(brokers, async (cluster) => {
        const run = await cluster.run(bench, {
          env: { BENCH_TOPIC: topic, BENCH_NAME: `bench-${bench}`, BENCH_INTERVAL: String(intervalMs) },
          conf: { batches: batches + WARM_UP_BATCHES },
          memory: { atBatch: WARM_UP_BATCHES / 2 },
        });
        const measured = run.batches.slice(WARM_UP_BATCHES);
        const times = measured.map(({ processingMs }) => processingMs);
        const ages = run.output
          .slice(-measured.length)
          .filter((text) => text.startsWith('{"ages"'))
          .flatMap((text) => (JSON.parse(text) as { ages: number[] }).ages);
        const first = measured[0]?.batchTime ?? 0;
        const spanMs = (measured.at(-1)?.batchTime ?? 0) - first;
        return {
          ...NOTHING,
          bench,
          records: measured.reduce((sum, batch) => sum + batch.records, 0),
          batchMsP50: rounded(percentile(times, 50)),
          batchMsP99: rounded(percentile(times, 99)),
          recordAgeMsP50: ages.length > 0 ? percentile(ages, 50) : null,
          firstBatchMs: rounded(run.firstBatchMs),
          memoryMb: run.memoryMb,
          batches: measured.length,
          settings: {
            intervalMs,
            recordsPerSecond: perSecond,
            partitions: PARTITIONS,
            // 1 when no tick was missed.
            intervalSustained: rounded(spanMs / Math.max(1, measured.length - 1) / intervalMs, 3),
          },
        };
      });
    } finally {
      await load?.stop();
      if (settings.topic === undefined) await client.deleteTopic(topic);
    }
  });
}

/** `submit` to the first completed batch, on a cluster that runs. */
async function startup(settings: BenchSettings): Promise<BenchResult> {
  const { brokers, runs, say } = settings;
  return withClient(brokers, async (client) => {
    const topic = `millrace-bench-startup-${randomUUID().slice(0, 8)}`;
    await client.createTopic(topic, { partitions: PARTITIONS });
    try {
      return await withCluster(brokers, async (cluster) => {
        const times: number[] = [];
        for (let run = 0; run <= runs; run++) {
          const env = { BENCH_TOPIC: topic, BENCH_NAME: `bench-startup-${run}` };
          const { firstBatchMs } = await cluster.run('empty', { env, conf: { batches: 3 } });
          say(`${run === 0 ? 'warm-up' : `run ${run}`}: ${rounded(firstBatchMs)} ms`);
          if (run > 0) times.push(firstBatchMs);
          // The warm spare needs a moment to be warm again.
          await new Promise((resolve) => setTimeout(resolve, 1500));
        }
        return {
          ...NOTHING,
          bench: 'startup',
          firstBatchMs: rounded(median(times)),
          settings: { runs, intervalMs: 100 },
        };
      });
    } finally {
      await client.deleteTopic(topic);
    }
  });
}

/** One process, one producer, acks=all. */
async function produce(settings: BenchSettings): Promise<BenchResult> {
  const { brokers, runs, say } = settings;
  return withClient(brokers, async (client) => {
    const records = Math.min(settings.records, 2_000_000);
    const topic = `millrace-bench-produce-${randomUUID().slice(0, 8)}`;
    await client.createTopic(topic, { partitions: PARTITIONS });
    const value = Buffer.from('x'.repeat(100));
    const chunk = Array.from({ length: 20_000 }, (_, i) => ({ partition: i % PARTITIONS, value }));
    const producer = client.producer();
    const times: number[] = [];
    try {
      for (let run = 0; run <= runs; run++) {
        const started = performance.now();
        for (let sent = 0; sent < records; sent += chunk.length)
          await producer.send(topic, chunk, { acks: -1 });
        const took = performance.now() - started;
        say(`${run === 0 ? 'warm-up' : `run ${run}`}: ${rounded(records / took / 1000)} M records/s`);
        if (run > 0) times.push(took);
      }
    } finally {
      await producer.close();
      await client.deleteTopic(topic);
    }
    return {
      ...NOTHING,
      bench: 'produce',
      records,
      recordsPerSecond: Math.round((records / median(times)) * 1000),
      settings: { runs, valueBytes: 100, batchRecords: chunk.length / PARTITIONS, acks: 'all' },
    };
  });
}
