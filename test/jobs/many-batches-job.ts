// Every batch writes from four tasks to a topic of several partitions, with one of two sets of producer options.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('SINK_NAME'), batchInterval: '5ms' }, (ssc) => {
  const brokers = env('KAFKA_BROKERS');
  const topic = env('SINK_OUT');
  let batches = 0;
  const rows = ssc.parallelize(
    Array.from({ length: 16 }, (_, i) => [`k${i}`, i] as const),
    4,
  );
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(topic, { brokers, groupId: 'many', startFrom: 'latest' }),
    )
    .foreachRDD(async () => {
      await rows.toKafka(topic, batches++ % 2 === 0 ? { brokers } : { brokers, acks: 1 });
    });
});
