// Work on whole partitions, and asynchronous work.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies, perExecutor } from '@millrace/api';
import type { Order } from './order.ts';

export default defineJob({ name: 'partitions', batchInterval: '1s' }, (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'partitions',
      startFrom: 'earliest',
      value: json<Order>(),
    }),
  );

  orders
    .mapPartitions(async function* (rows) {
      let cents = 0;
      for await (const chunk of rows.chunks()) {
        for (const { value } of chunk) cents += value.cents;
      }
      yield cents;
    })
    .print();

  const ratesUrl = env('RATES_URL');
  const rates = perExecutor(() => new Map<string, Promise<number>>());
  orders
    .mapAsync(
      async ({ value }) => {
        const known = rates().get(value.country);
        const rate = known ?? fetch(`${ratesUrl}/${value.country}`).then(async (r) => Number(await r.text()));
        rates().set(value.country, rate);
        return value.cents * (await rate);
      },
      { concurrency: 8 },
    )
    .print();
});
