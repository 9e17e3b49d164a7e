import { randomUUID } from 'node:crypto';
import { type BenchResult, median, NOTHING, rounded } from './bench-result.ts';
import { type BenchSettings, withClient, withCluster } from './benchmark.ts';
import { PARTITIONS } from './topics.ts';

/** `submit` to the first completed batch, on a cluster that runs. */
export async function startup(settings: BenchSettings): Promise<BenchResult> {
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
