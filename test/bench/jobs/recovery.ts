// Counts what there is, in bounded batches.
import { defineJob, env } from '@millrace/api';
import { records } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL')) }, (ssc) => {
  records(ssc, { maxRecordsPerBatch: Number(env('BENCH_BATCH_RECORDS')) }).foreachRDD(async (rdd) => {
    await rdd.count();
  });
});
