// A shuffle whose reduce tasks run in waves: something to hit between the map tasks and the last reads of what they left.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('SHUFFLE_NAME'), batchInterval: '200ms' }, (ssc) => {
  const pauseMs = Number(env('SHUFFLE_PAUSE_MS'));
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('SHUFFLE_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'shuffle',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
      }),
    )
    .map((record): [string, number] => [record.value.split(' ')[0] ?? '', 1])
    .foreachRDD(async (rdd) => {
      const counts = await rdd
        .reduceByKey((a, b) => a + b, 12)
        .mapPartitions(async (rows) => {
          const all = await rows.toArray();
          await new Promise((resolve) => setTimeout(resolve, pauseMs));
          return all;
        })
        .collect();
      console.log(JSON.stringify(counts.toSorted(([a], [b]) => (a < b ? -1 : 1))));
    });
});
