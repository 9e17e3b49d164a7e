import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';

export default defineJob({ name: 'bad-not-json', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BAD_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
        value: json<{ n: number }>(),
      }),
    )
    .map(({ value }) => value.n)
    .print();
});
