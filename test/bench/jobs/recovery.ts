// Counts what there is, in bounded batches.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL')) }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bench',
        startFrom: 'earliest',
        maxRecordsPerBatch: Number(env('BENCH_BATCH_RECORDS')),
      }),
    )
    .foreachRDD(async (rdd) => {
      await rdd.count();
    });
});
