// What refused.ts gets wrong, written so that it ships (docs/lambdas.md).
import { createWriteStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConsumerStrategies, defineJob, env, LocationStrategies, perExecutor } from '@millrace/api';
import { audit } from './audit-file.ts';

async function loadPrices(): Promise<Map<string, number>> {
  return new Map([['de', 120]]);
}

export default defineJob({ name: 'shipped', batchInterval: '1s' }, async (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'shipped',
      startFrom: 'earliest',
    }),
  );

  // A connection, a file, a pool: made on the executor when it is first used, and kept.
  const trail = perExecutor(() => createWriteStream(join(tmpdir(), `trail-${process.pid}.log`)), {
    dispose: (file) => new Promise<void>((resolve) => file.end(() => resolve())),
  });
  orders.map((record) => trail().write(`${record.value}\n`)).print(1);

  // The same as a module that begins with 'use executor'.
  orders
    .map((record) => {
      audit(record.value);
      return record.offset;
    })
    .print(1);

  // A count that the driver sees.
  const seen = ssc.accumulator(0, 'orders');
  orders
    .map((record) => {
      seen.add(1);
      return record.value.length;
    })
    .foreachRDD(async (rdd) => console.log(await rdd.fold(0, (a, b) => Math.max(a, b)), 'of', seen.value));

  // A plain value, read on the driver.
  const { name } = ssc;
  orders.map((record) => `${name}: ${record.value}`).print(1);

  // Awaited on the driver, then sent to each executor once.
  const prices = ssc.broadcast(await loadPrices());
  orders.map((record) => [record.value, prices.value.get('de')]).print(1);

  // Asynchronous work.
  orders.mapAsync(async (record) => record.value).print(1);

  // What depends on the driver's place goes into a const.
  const { url } = import.meta;
  orders.map((record) => url.length + record.value).print(1);
});
