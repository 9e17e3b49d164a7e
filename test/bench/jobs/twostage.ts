// Small batches in two stages: what a shuffle adds.
import { defineJob, env } from '@millrace/api';
import { arrivals } from '../bench-streams.ts';

export default defineJob(
  { name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL', '100')) },
  (ssc) => {
    arrivals(ssc)
      .map((record): [number, number] => [record.offset % 10, record.timestamp])
      .reduceByKey((a, b) => Math.min(a, b), 2)
      .foreachRDD(async (rdd) => {
        const oldest = await rdd.collect();
        const now = Date.now();
        if (oldest.length > 0) console.log(JSON.stringify({ ages: oldest.map(([, time]) => now - time) }));
      });
  },
);
