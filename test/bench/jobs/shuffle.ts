// Rows [string, number], made on executors: all of them move, and are summed by key where they arrive.
import { defineJob, env, perExecutor } from '@millrace/api';
import { records } from '../bench-streams.ts';
import { shuffleChunk, shuffleKeys } from '../shuffle-rows.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  const chunks = Number(env('BENCH_CHUNKS'));
  const keys = perExecutor(() => shuffleKeys());
  const parts = ssc.parallelize(
    Array.from({ length: chunks }, (_, chunk) => chunk),
    8,
  );
  records(ssc).foreachRDD(async () => {
    const rows = parts.flatMap((chunk) => shuffleChunk(keys(), chunk));
    const sums = rows.partitionBy(4).reduceByKey((a, b) => a + b, 4);
    const total = await sums
      .map(([, sum]) => ({ keys: 1, sum }))
      .fold({ keys: 0, sum: 0 }, (a, b) => ({ keys: a.keys + b.keys, sum: a.sum + b.sum }));
    console.log(JSON.stringify(total));
  });
});
