// What a batch read, on the driver and in a task.
import {
  ConsumerStrategies,
  defineJob,
  env,
  LocationStrategies,
  offsetSpan,
  TaskContext,
} from '@millrace/api';

export default defineJob({ name: 'offsets', batchInterval: '1s' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('orders', {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'offsets',
        startFrom: 'earliest',
      }),
    )
    .map((record) => record.value.length)
    .foreachRDD(async (rdd) => {
      for (const range of rdd.offsetRanges) {
        const { topic, partition, fromOffset, untilOffset } = range;
        console.log(`${topic}-${partition} [${fromOffset}, ${untilOffset}): ${offsetSpan(range)} offsets`);
      }
      await rdd.foreachPartition(async (rows) => {
        const { partitionId, attemptNumber, batchTime, executorId, offsetRange } = TaskContext.get();
        const bytes = (await rows.toArray()).reduce((sum, length) => sum + length, 0);
        console.log({ partitionId, attemptNumber, batchTime, executorId, offsetRange, bytes });
      });
    });
});
