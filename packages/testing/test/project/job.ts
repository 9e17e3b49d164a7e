import { basename } from 'node:path';
import { ConsumerStrategies, defineJob, env, LocationStrategies, perExecutor } from '@millrace/api';
import { inMinutes, Price } from './lib/pricing.ts';
import { state } from './lib/process-state.ts';

export const made: string[] = [];
/** What only the driver's copy of a module sees. */
export const results: unknown[] = [];

export default defineJob({ name: 'tested', batchInterval: '20ms', batches: 1 }, (ssc) => {
  const orders = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'tested',
      startFrom: 'earliest',
    }),
  );
  const seen = new Map<string, number>();
  const totals = { count: 0, byUser: { ann: 0 } };
  const cache = perExecutor(() => new Map<string, Price>());
  const price = new Price(250);
  const rates = ssc.broadcast({ de: 19 });
  const rows = orders.map(({ value }) => {
    seen.set(value, 1);
    totals.byUser.ann += 1;
    cache().set(value, price);
    state.uses++;
    return [basename(value), price.format(), inMinutes(90_000), rates.value.de, price instanceof Price];
  });
  rows.foreachRDD(async (rdd) => {
    results.push(...(await rdd.collect()), seen.size, totals.count);
    results.push(
      await rdd.mapAsync(async () => (await import('./lib/process-state.ts')).state.uses > 0).first(),
    );
  });
});
