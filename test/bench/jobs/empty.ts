// Nothing to read: what a batch costs.
import { ConsumerStrategies, defineJob, env, LocationStrategies, nullable, utf8 } from '@millrace/api';

export default defineJob(
  { name: env('BENCH_NAME'), batchInterval: Number(env('BENCH_INTERVAL', '100')) },
  (ssc) => {
    ssc.kafka
      .createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
          brokers: env('KAFKA_BROKERS'),
          groupId: 'bench',
          startFrom: 'latest',
          value: nullable(utf8()),
        }),
      )
      .foreachRDD(async (rdd) => {
        await rdd.count();
      });
  },
);
