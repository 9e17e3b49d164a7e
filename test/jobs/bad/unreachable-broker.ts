import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('BAD_NAME'), batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe('views', {
        brokers: env('BAD_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
      }),
    )
    .print();
});
