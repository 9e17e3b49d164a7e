import { randomUUID } from 'node:crypto';
import { BareShuffle } from './bare-shuffle.ts';
import type { JobRun, MemorySampling } from './bench-cluster.ts';
import { type BenchResult, median, NOTHING, rounded } from './bench-result.ts';
import { type BenchSettings, withClient, withCluster } from './benchmark.ts';
import { CHUNK_ROWS, ROW_BYTES } from './shuffle-rows.ts';

const GIBIBYTE = 1024 ** 3;

/** A gibibyte of rows [string, number] from task to task; engine and bare loop take turns, and must agree on the sums. */
export async function shuffle({ brokers, records, runs, say }: BenchSettings): Promise<BenchResult> {
  const chunks = Math.ceil((records ?? GIBIBYTE / ROW_BYTES) / CHUNK_ROWS);
  const rows = chunks * CHUNK_ROWS;
  return withClient(brokers, async (client) => {
    const topic = `millrace-bench-shuffle-${randomUUID().slice(0, 8)}`;
    await client.createTopic(topic, { partitions: 1 });
    const bare = await BareShuffle.start();
    try {
      return await withCluster(brokers, async (cluster) => {
        const engineMs: number[] = [];
        const bareMs: number[] = [];
        const jobRun = (run: number, memory: MemorySampling): Promise<JobRun> =>
          cluster.run('shuffle', {
            env: { BENCH_TOPIC: topic, BENCH_NAME: `bench-shuffle-${run}`, BENCH_CHUNKS: String(chunks) },
            memory,
          });
        // The first turn warms both up.
        for (let run = 0; run <= runs; run++) {
          const { ms, ...total } = await bare.run(chunks);
          const { batches, output } = await jobRun(run, 'none');
          if (output.at(-1) !== JSON.stringify(total))
            throw new Error(`the engine found ${output.at(-1)}, the bare loop ${JSON.stringify(total)}`);
          const took = batches[0]?.processingMs ?? Number.NaN;
          const rate = (time: number): string => `${rounded(rows / time / 1000)} M rows/s`;
          say(`${run === 0 ? 'warm-up' : `run ${run}`}: ${rate(took)}, bare loop ${rate(ms)}`);
          if (run === 0) continue;
          engineMs.push(took);
          bareMs.push(ms);
        }
        const { memoryMb: memory } = await jobRun(runs + 1, 'throughout');
        return {
          ...NOTHING,
          bench: 'shuffle',
          records: rows,
          recordsPerSecond: Math.round((rows / median(engineMs)) * 1000),
          bareLoopRecordsPerSecond: Math.round((rows / median(bareMs)) * 1000),
          batchMsP50: rounded(median(engineMs)),
          memoryMb: {
            driver: rounded(memory.driver),
            host: rounded(memory.host),
            executors: rounded(memory.executors),
          },
          batches: runs,
          settings: {
            gib: rounded((rows * ROW_BYTES) / GIBIBYTE, 3),
            partitions: 4,
            executors: 2,
            slots: 1,
            runs,
          },
        };
      });
    } finally {
      bare.stop();
      await client.deleteTopic(topic);
    }
  });
}
