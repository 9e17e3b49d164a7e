// JSON.parse of every value, then running sums of 100,000 users over 4 partitions.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bench',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
        value: json<{ user: string; ms: number }>(),
      }),
    )
    .map((record): [string, number] => [record.value.user, record.value.ms])
    .updateStateByKey(
      (values: number[], sum: number | undefined) => {
        let total = sum ?? 0;
        for (const value of values) total += value;
        return total;
      },
      { name: 'sums', partitions: 4 },
    )
    .foreachRDD(async (rdd) => console.log(JSON.stringify({ counted: await rdd.count() })));
});
