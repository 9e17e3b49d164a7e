// Prints the ranges that it reads, and lets Kafka's group follow.
import { ConsumerStrategies, defineJob, env, json, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('JOB_NAME'), batchInterval: '100ms' }, (ssc) => {
  const views = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(env('JOB_TOPIC'), {
      brokers: env('KAFKA_BROKERS'),
      groupId: env('JOB_GROUP'),
      startFrom: 'earliest',
      value: json<unknown>(),
      failOnDataLoss: env('JOB_LOSS', 'fail') === 'fail',
      onDecodeError: env('JOB_POISON', 'fail') === 'skip' ? 'skip' : 'fail',
      mirrorOffsets: env('JOB_MIRROR', 'true') === 'true',
    }),
  );
  views.foreachRDD(async (rdd) => {
    const records = await rdd.map((record) => record.value).count();
    for (const { partition, fromOffset, untilOffset } of rdd.offsetRanges)
      if (untilOffset > fromOffset) console.log(`${partition} [${fromOffset}, ${untilOffset}) ${records}`);
    if (env('JOB_MIRROR', 'true') !== 'true')
      views.commitAsync(rdd.offsetRanges).catch((error: Error) => console.log(error.message));
  });
});
