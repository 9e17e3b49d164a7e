import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const topic = env('BAD_TOPIC');

export default defineJob({ name: 'bad-unsafe-offset', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(topic, {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
        offsets: { [`${topic}-0`]: 2 ** 53 },
      }),
    )
    .print();
});
