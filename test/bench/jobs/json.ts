// JSON.parse of every value, a filter, a count.
import { defineJob, env, json } from '@millrace/api';
import { records } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  records(ssc, { maxRecordsPerBatch: 'unlimited', value: json<{ ms: number }>() })
    .filter((record) => record.value.ms >= 500)
    .foreachRDD(async (rdd) => console.log(JSON.stringify({ counted: await rdd.count() })));
});
