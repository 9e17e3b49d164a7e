import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const topic = env('BAD_TOPIC');
const partitions = [0, 1, 0, 1].map((partition) => ({ topic, partition }));

export default defineJob({ name: 'bad-twice', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Assign(partitions, {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bad',
        startFrom: 'earliest',
      }),
    )
    .print();
});
