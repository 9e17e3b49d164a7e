import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export const job = defineJob({ name: 'bad-no-default-export', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BAD_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
      }),
    )
    .print();
});
