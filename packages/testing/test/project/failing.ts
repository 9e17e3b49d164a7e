import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

interface Order {
  readonly text: string;
}

function check(order: Order): string {
  throw new Error(`no ${order.text}`);
}

export default defineJob({ name: 'failing', batchInterval: '20ms', taskAttemptsMax: 1 }, (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'failing',
      startFrom: 'earliest',
    }),
  );
  orders.map(({ value }) => check({ text: value })).print();
});
