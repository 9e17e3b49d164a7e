// Lambdas that ship, but hardly as their author means it: `millrace check` warns of each (docs/lambdas.md).
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const startedAt = Date.now();
const apiKey = env('RATES_API_KEY', 'not a real key');
const region = process.env['REGION'];
const prices = Array.from({ length: 600_000 }, (_, id) => id % 90);

export default defineJob({ name: 'warned', batchInterval: '1s' }, (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'warned',
      startFrom: 'earliest',
    }),
  );

  orders.map((record) => prices[record.offset]).print();

  orders.map((record) => `${record.value} ${apiKey} ${region}`).print();

  orders.map((record) => record.timestamp - startedAt).print();

  let large = 0;
  orders.foreachRDD(async (rdd) => {
    await rdd.foreach((record) => {
      large += record.value.length;
    });
    console.log(large);
  });
});
