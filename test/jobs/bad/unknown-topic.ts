import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: 'bad-unknown-topic', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe([env('BAD_TOPIC'), 'no-such-topic', 'nor-this-one'], {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
      }),
    )
    .print();
});
