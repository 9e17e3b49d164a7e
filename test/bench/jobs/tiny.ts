// Small batches: what a record waits until its batch has been processed.
import { defineJob, env } from '@millrace/api';
import { arrivals } from '../bench-streams.ts';

export default defineJob(
  { name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL', '100')) },
  (ssc) => {
    arrivals(ssc)
      .map((record) => record.timestamp)
      .foreachRDD(async (rdd) => {
        const times = await rdd.collect();
        const now = Date.now();
        if (times.length > 0) console.log(JSON.stringify({ ages: times.map((time) => now - time) }));
      });
  },
);
