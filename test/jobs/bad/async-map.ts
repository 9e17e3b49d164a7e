import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: 'bad-async-map', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BAD_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
      }),
    )
    .map(async ({ value }) => value)
    .print();
});
