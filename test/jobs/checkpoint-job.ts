// A dataset that the first batch checkpoints and all that follow read. Its rows say in which batch they were made.
import { ConsumerStrategies, defineJob, env, LocationStrategies, type RDD, TaskContext } from '@millrace/api';

export default defineJob({ name: env('CHECKPOINT_NAME'), batchInterval: '200ms' }, (ssc) => {
  const made = ssc.accumulator(0, 'made');
  let kept: RDD<[string, { readonly count: number; readonly madeIn: number }]> | undefined;
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('CHECKPOINT_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'checkpoint',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
      }),
    )
    .foreachRDD(async (rdd, time) => {
      kept ??= rdd
        .map((record): [string, number] => [record.value.split(' ')[0] ?? '', 1])
        .reduceByKey((a, b) => a + b, 4)
        .mapValues((count) => {
          made.add(1);
          return { count, madeIn: TaskContext.get().batchTime };
        })
        .checkpoint();
      const rows = await kept.collect();
      const { isCheckpointed } = kept;
      console.log(
        JSON.stringify({ time, rows, made: made.value, isCheckpointed, file: kept.getCheckpointFile() }),
      );
    });
});
