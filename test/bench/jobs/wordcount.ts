// Words of every line, counted over 4 shuffle partitions.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bench',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
      }),
    )
    .flatMap((record) => record.value.split(' '))
    .map((word): [string, number] => [word, 1])
    .reduceByKey((a, b) => a + b, 4)
    .foreachRDD(async (rdd) => console.log(JSON.stringify({ counted: await rdd.count() })));
});
