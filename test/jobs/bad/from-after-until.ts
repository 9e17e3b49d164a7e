// Ranges that are no ranges. They are made while the job runs: its first batch refuses them.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const brokers = env('KAFKA_BROKERS');
const topic = env('BAD_TOPIC');

export default defineJob({ name: 'bad-from-after-until', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(topic, { brokers, groupId: 'bad', startFrom: 'earliest' }),
    )
    .foreachRDD(async () => {
      const ranges = [
        { topic, partition: 0, from: 2, until: 1 },
        { topic, partition: 1, from: 1, until: 0 },
      ];
      const rdd = await ssc.kafka.createRDD({ brokers }, ranges);
      await rdd.count();
    });
});
