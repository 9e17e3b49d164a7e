// Lambdas that cannot run on an executor, each for a reason of its own: `millrace check` lists them all (docs/lambdas.md).
import { Socket } from 'node:net';
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const audit = { name: 'audit', socket: new Socket() };

async function loadPrices(): Promise<Map<string, number>> {
  return new Map([['de', 120]]);
}
const prices = loadPrices();

export default defineJob({ name: 'refused', batchInterval: '1s' }, (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'refused',
      startFrom: 'earliest',
    }),
  );

  const send = (text: string) => audit.socket.write(text);
  orders.filter((record) => send(record.value)).print();

  let seen = 0;
  orders.map(() => (seen += 1)).print();

  orders.map((record) => `${ssc.name}: ${record.value}`).print();

  orders.map((record) => [record.value, prices]).print();

  orders.map(async (record) => record.value).print();

  orders.map((record) => import.meta.url + record.value).print();
});
