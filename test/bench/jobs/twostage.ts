// Small batches in two stages: what a shuffle adds.
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
      .map((record): [number, number] => [record.offset % 10, record.timestamp])
      .reduceByKey((a, b) => Math.min(a, b), 2)
      .foreachRDD(async (rdd) => {
        const oldest = await rdd.collect();
        const now = Date.now();
        if (oldest.length > 0) console.log(JSON.stringify({ ages: oldest.map(([, time]) => now - time) }));
      });
  },
);
