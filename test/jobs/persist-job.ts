// A dataset that is persisted in the first batch and read in all that follow. Its rows say which task made them.
import { existsSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies, type RDD, TaskContext } from '@millrace/api';

interface Total {
  readonly count: number;
  readonly partition: number;
  readonly madeBy: string;
  readonly madeIn: number;
}

export default defineJob({ name: env('PERSIST_NAME'), batchInterval: '200ms' }, (ssc) => {
  const releaseFile = env('PERSIST_RELEASE_FILE');
  const counted = ssc.accumulator(0, 'counted');
  let kept: RDD<[string, Total]> | undefined;
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('PERSIST_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'persist',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
      }),
    )
    .foreachRDD(async (rdd, time) => {
      kept ??= rdd
        .map((record): [string, number] => {
          counted.add(1);
          return [record.value.split(' ')[0] ?? '', 1];
        })
        .reduceByKey((a, b) => a + b, 8)
        .mapValues((count): Total => {
          const task = TaskContext.get();
          return { count, partition: task.partitionId, madeBy: task.executorId, madeIn: task.batchTime };
        })
        .persist();
      const [rows, tooMany] = await Promise.all([
        kept.collect(),
        kept.filter(([, { count }]) => count < 0).count(),
      ]);
      console.log(JSON.stringify({ time, rows, tooMany, counted: counted.value }));
      if (existsSync(releaseFile)) kept.unpersist();
    });
});
