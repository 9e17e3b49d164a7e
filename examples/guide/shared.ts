// Broadcasts, accumulators, and what the driver tells the next batch.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';
import type { Order } from './order.ts';

export default defineJob({ name: 'shared', batchInterval: '1s' }, (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'shared',
      startFrom: 'earliest',
      value: json<Order>(),
    }),
  );

  const vat = ssc.broadcast(
    new Map([
      ['de', 0.19],
      ['fr', 0.2],
    ]),
  );
  const untaxed = ssc.accumulator(0, 'untaxed orders');
  const countries = ssc.mapAccumulator<string>('their countries');
  orders
    .map(({ value }) => {
      const rate = vat.value.get(value.country);
      if (rate === undefined) {
        untaxed.add(1);
        countries.add(value.country);
      }
      return value.cents * (rate ?? 0);
    })
    .foreachRDD(async (rdd) => {
      const tax = await rdd.fold(0, (a, b) => a + b);
      console.log('VAT', tax / 100, '· untaxed', untaxed.value, countries.value);
    });

  let largest = 0; // of the batches before; captured anew for each batch
  orders
    .filter(({ value }) => value.cents > largest)
    .foreachRDD(async (rdd) => {
      const [record] = await rdd.top(1, (a, b) => a.value.cents - b.value.cents);
      if (record === undefined) return;
      largest = record.value.cents;
      console.log('largest order so far:', record.value);
    });

  orders.transform((rdd, time) => rdd.map(({ value }) => ({ ...value, batch: time }))).print(3);
});
