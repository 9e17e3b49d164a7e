// Windows over a shuffle, over records, and tumbling ones; what each of them has is told as JSON. Used by test/integration/windows.test.ts.
import { ConsumerStrategies, defineJob, env, LocationStrategies, type RDD } from '@millrace/api';

export default defineJob({ name: env('WINDOWS_NAME'), batchInterval: '500ms' }, (ssc) => {
  const values = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('WINDOWS_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'windows',
        startFrom: 'earliest',
      }),
    )
    .map((record) => [record.offset % 5, record.offset] as const);
  const tell = (window: string) => async (rdd: RDD<unknown>, time: number) =>
    console.log(JSON.stringify({ window, time, rows: await rdd.collect() }));

  values.reduceByKeyAndWindow((a, b) => a + b, '3s', '1s', 2).foreachRDD(tell('sliding'));
  values
    .reduceByKeyAndWindow(
      (a, b) => a + b,
      (a, b) => a - b,
      '3s',
      '1s',
      { name: 'sums' },
    )
    .foreachRDD(tell('from before'));
  values
    .values()
    .reduceByWindow((a, b) => a + b, '2s', '2s')
    .foreachRDD(tell('tumbling'));
  values.countByWindow('2s').foreachRDD(tell('count'));
});
