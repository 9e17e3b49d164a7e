// Small batches: what a record waits until its batch has been processed.
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
      .map((record) => record.timestamp)
      .foreachRDD(async (rdd) => {
        const times = await rdd.collect();
        const now = Date.now();
        if (times.length > 0) console.log(JSON.stringify({ ages: times.map((time) => now - time) }));
      });
  },
);
