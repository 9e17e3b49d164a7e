// Runs the pipelines of a file over its datasets, and writes what they made beside it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import { ConsumerStrategies, defineJob, env, LocationStrategies, type RDD } from '@millrace/api';
import { applied, type Pair, type PipelineStep } from '../../packages/api/src/testing/pipeline-steps.ts';

export interface PipelineCase {
  readonly left: readonly (readonly Pair[])[];
  readonly right: readonly (readonly Pair[])[];
  readonly steps: readonly PipelineStep[];
}

export default defineJob({ name: env('PIPELINES_NAME'), batchInterval: '200ms' }, (ssc) => {
  const file = env('PIPELINES_FILE');
  const datasetOf = (partitions: readonly (readonly Pair[])[]): RDD<Pair> =>
    ssc.parallelize(partitions.flat(), Math.max(1, partitions.length));
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('PIPELINES_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'pipelines',
        startFrom: 'earliest',
      }),
    )
    .foreachRDD(async () => {
      const cases = deserialize(readFileSync(file)) as readonly PipelineCase[];
      const made: unknown[][] = [];
      for (const [index, { left, right, steps }] of cases.entries()) {
        const rdd = await applied(steps, datasetOf(left), datasetOf(right));
        made.push(await rdd.collect());
        if (index % 10 === 0) console.log(index);
      }
      writeFileSync(`${file}.part`, serialize(made));
      renameSync(`${file}.part`, `${file}.made`);
    });
});
