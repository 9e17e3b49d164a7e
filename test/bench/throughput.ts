import { randomUUID } from 'node:crypto';
import { type KafkaClient, type OffsetRange, offsetRange } from '@millrace/kafka';
import { BareLoop } from './bare-loop.ts';
import type { BareMode } from './bare-reader.ts';
import type { JobRun, MemorySampling } from './bench-cluster.ts';
import { type BenchResult, median, NOTHING, rounded } from './bench-result.ts';
import { type BenchSettings, withClient, withCluster } from './benchmark.ts';
import { countRecords, jsonTopic, linesTopic, PARTITIONS, partitionsOf } from './topics.ts';

const RECORDS = 8_000_000;
const LINES = 2_000_000;

/** One batch over the whole topic; engine and bare loop take turns, and the medians are compared. */
export async function throughput(
  bench: BareMode,
  settings: BenchSettings,
  job: string = bench,
): Promise<BenchResult> {
  const { brokers, runs, say } = settings;
  return withClient(brokers, async (client, options) => {
    const topic = settings.topic ?? (await loadedTopic(client, bench, settings));
    const records = await countRecords(client, topic);
    const ranges = await wholeTopic(client, topic);
    const bare = await BareLoop.start();
    try {
      return await withCluster(brokers, async (cluster) => {
        const engineMs: number[] = [];
        const bareMs: number[] = [];
        let last: JobRun | undefined;
        const jobRun = (run: number, memory: MemorySampling): Promise<JobRun> =>
          withOut(client, bench, (out) => {
            const env = { BENCH_TOPIC: topic, BENCH_NAME: `bench-${job}-${run}`, BENCH_OUT: out };
            return cluster.run(job, { env, memory });
          });
        // The first turn warms both up.
        for (let run = 0; run <= runs; run++) {
          const bareRun = await withOut(client, bench, (out) => bare.run(options, ranges, bench, out));
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
          bench: job,
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

function loadedTopic(client: KafkaClient, bench: BareMode, { records, say }: BenchSettings): Promise<string> {
  return bench === 'wordcount'
    ? linesTopic(client, records ?? LINES, say)
    : jsonTopic(client, records ?? RECORDS, say);
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

/** With a topic that echo writes to: a new one for each run, so that all find the same. */
async function withOut<T>(
  client: KafkaClient,
  bench: BareMode,
  use: (topic: string) => Promise<T>,
): Promise<T> {
  if (bench !== 'echo') return use('');
  const topic = `millrace-bench-out-${randomUUID().slice(0, 8)}`;
  await client.createTopic(topic, { partitions: PARTITIONS });
  try {
    return await use(topic);
  } finally {
    await client.deleteTopic(topic);
  }
}
