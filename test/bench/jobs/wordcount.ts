// Words of every line, counted over 4 shuffle partitions.
import { defineJob, env } from '@millrace/api';
import { records } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  records(ssc, { maxRecordsPerBatch: 'unlimited' })
    .flatMap((record) => record.value.split(' '))
    .map((word): [string, number] => [word, 1])
    .reduceByKey((a, b) => a + b, 4)
    .foreachRDD(async (rdd) => console.log(JSON.stringify({ counted: await rdd.count() })));
});
