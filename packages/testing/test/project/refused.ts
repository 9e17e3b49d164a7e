import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: 'refused', batchInterval: '20ms', batches: 1 }, (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'refused',
      startFrom: 'earliest',
    }),
  );
  let counter = 0;
  orders.map(() => (counter += 1)).print();
});
