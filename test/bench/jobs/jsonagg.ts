// JSON.parse of every value, then a sum for each of 100,000 users over 4 shuffle partitions.
import { defineJob, env } from '@millrace/api';
import { msByUser } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  msByUser(ssc)
    .reduceByKey((a, b) => a + b, 4)
    .foreachRDD(async (rdd) => console.log(JSON.stringify({ counted: await rdd.count() })));
});
