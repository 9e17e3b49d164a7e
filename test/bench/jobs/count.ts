// Counts every record of a topic: decoded, CRC checked.
import { bytes, defineJob, env, nullable } from '@millrace/api';
import { records } from '../bench-streams.ts';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  records(ssc, { maxRecordsPerBatch: 'unlimited', value: nullable(bytes()) }).foreachRDD(async (rdd) =>
    console.log(JSON.stringify({ counted: await rdd.count() })),
  );
});
