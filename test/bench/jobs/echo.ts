// Every record of a topic to another one: the bytes of key and value.
import { bytes, ConsumerStrategies, defineJob, env, LocationStrategies, nullable } from '@millrace/api';

const job = { name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL', '100')), batches: 1 };

export default defineJob(job, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bench',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
        value: nullable(bytes()),
      }),
    )
    .toKafka(env('BENCH_OUT'), {
      brokers: env('KAFKA_BROKERS'),
      guarantee: env('BENCH_GUARANTEE', '') === 'exactly-once' ? 'exactly-once' : 'at-least-once',
    });
});
