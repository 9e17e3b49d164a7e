// Nothing to read: what a batch costs.
import { defineJob, env } from '@millrace/api';
import { arrivals } from '../bench-streams.ts';

export default defineJob(
  { name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL', '100')) },
  (ssc) => {
    arrivals(ssc).foreachRDD(async (rdd) => {
      await rdd.count();
    });
  },
);
