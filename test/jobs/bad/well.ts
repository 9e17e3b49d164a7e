// Nothing is wrong with it: it holds its name until it is stopped.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: 'well', batchInterval: '100ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BAD_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'well',
        startFrom: 'earliest',
      }),
    )
    .foreachRDD(async (rdd) => {
      await rdd.count();
    });
});
