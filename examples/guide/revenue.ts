import { ConsumerStrategies, defineJob, env, json, LocationStrategies, seconds } from '@millrace/api';
import type { Order } from './order.ts';

export default defineJob({ name: 'revenue', batchInterval: seconds(1) }, (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'revenue',
      startFrom: 'earliest',
      value: json<Order>(),
    }),
  );

  orders
    .map((record) => record.value.cents)
    .foreachRDD(async (rdd, time) => {
      const cents = await rdd.fold(0, (a, b) => a + b);
      console.log(new Date(time).toISOString(), cents / 100);
    });
});
