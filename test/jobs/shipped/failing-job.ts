// A helper of another file throws: the stack of the failure points into both files.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';
import { EventCodec } from './lib/event.ts';
import { risky } from './lib/risky.ts';

export default defineJob({ name: 'shipped-failing', batchInterval: '50ms', taskAttemptsMax: 1 }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('SHIPPED_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'shipped-failing',
        startFrom: 'earliest',
        value: new EventCodec(':'),
      }),
    )
    .map((record) => {
      const checked = risky(record.value.n);
      return checked + 1;
    })
    .foreachRDD(async (rdd) => {
      await rdd.count();
    });
});
