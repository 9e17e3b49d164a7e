// A dataset over fixed ranges beside a stream.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';
import type { Order } from './order.ts';

export default defineJob({ name: 'fixed-ranges', batchInterval: '1s' }, (ssc) => {
  const kafka = { brokers: env('KAFKA_BROKERS'), value: json<Order>() };
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('orders', { ...kafka, groupId: 'fixed', startFrom: 'earliest' }),
    )
    .foreachRDD(async (rdd, time) => {
      const lastHour = await ssc.kafka.createRDD(kafka, [
        { topic: 'orders', from: { timestamp: time - 3_600_000 }, until: 'latest' }, // all partitions
      ]);
      const returns = await ssc.kafka.createRDD(kafka, [
        { topic: 'returns', partition: 0, from: 'earliest', until: 2 },
      ]);
      console.log(await rdd.count(), await lastHour.count(), await returns.count());
    });
});
