// Every record of a topic to another one: the bytes of key and value.
import { bytes, defineJob, env, nullable } from '@millrace/api';
import { records } from '../bench-streams.ts';

const job = { name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL', '100')), batches: 1 };

export default defineJob(job, (ssc) => {
  records(ssc, { maxRecordsPerBatch: 'unlimited', value: nullable(bytes()) }).toKafka(env('BENCH_OUT'), {
    brokers: env('KAFKA_BROKERS'),
    guarantee: env('BENCH_GUARANTEE', '') === 'exactly-once' ? 'exactly-once' : 'at-least-once',
  });
});
