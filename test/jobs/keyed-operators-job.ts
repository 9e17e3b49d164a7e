// Runs every keyed operator over one batch and prints digests of what each partition of it holds.
import { ConsumerStrategies, defineJob, env, LocationStrategies, RDD } from '@millrace/api';
import {
  clickOf,
  type Digest,
  digested,
  digestOf,
  isOther,
  KEYED_OPERATORS,
  NO_ROWS,
  otherOf,
} from './keyed-operators.ts';

/** Its reduce tasks wait: something to hit. */
const PAUSED = 'groupByKey';

export default defineJob({ name: env('KEYED_NAME'), batchInterval: '200ms' }, (ssc) => {
  const pauseMs = Number(env('KEYED_PAUSE_MS'));
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('KEYED_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'keyed-operators',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
      }),
    )
    .map((record) => clickOf(record.value))
    .foreachRDD(async (clicks) => {
      const others = clicks.filter(isOther).map(otherOf);
      for (const [name, operator] of Object.entries(KEYED_OPERATORS)) {
        const made = await operator.on(clicks, others);
        const waitMs = name === PAUSED ? pauseMs : 0;
        const digests: readonly Digest[] =
          made instanceof RDD
            ? await made
                .mapPartitions(async (rows) => {
                  let digest = NO_ROWS;
                  for await (const row of rows) digest = digested(digest, row);
                  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
                  return [digest];
                })
                .collect()
            : [digestOf(made)];
        console.log(JSON.stringify({ name, digests }));
      }
    });
});
