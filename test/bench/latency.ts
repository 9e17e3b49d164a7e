import { randomUUID } from 'node:crypto';
import { type BenchResult, NOTHING, percentile, rounded } from './bench-result.ts';
import { type BenchSettings, withClient, withCluster } from './benchmark.ts';
import { PARTITIONS } from './topics.ts';
import { trickle } from './trickle.ts';

const WARM_UP_BATCHES = 200;

/** Many small batches: processing time and the age of records when they have been processed. */
export async function latency(
  bench: 'tiny' | 'twostage' | 'empty' | 'largeState',
  settings: BenchSettings,
  perSecond: number,
): Promise<BenchResult> {
  const { brokers, intervalMs, batches } = settings;
  return withClient(brokers, async (client) => {
    const topic = settings.topic ?? `millrace-bench-${bench}-${randomUUID().slice(0, 8)}`;
    if (settings.topic === undefined) await client.createTopic(topic, { partitions: PARTITIONS });
    const load = perSecond > 0 ? trickle(client, topic, perSecond) : undefined;
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
