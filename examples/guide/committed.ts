// Offsets of finished batches, committed to Kafka for others to see.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: 'committed', batchInterval: '1s' }, (ssc) => {
  const kafka = { brokers: env('KAFKA_BROKERS'), startFrom: 'earliest' } as const;
  const events = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('orders', { ...kafka, groupId: 'committed' }),
  );
  events.foreachRDD(async (rdd) => {
    console.log(`${await rdd.count()} orders`);
    events.commitAsync(rdd.offsetRanges).then(
      () => console.log('Kafka knows'),
      (error: Error) => console.log(`Kafka does not know yet: ${error.message}`),
    );
  });
});
