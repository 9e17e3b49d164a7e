// Running totals: what each user has spent since the first batch, and what was spent in visits that are over.
//   millrace submit examples/running-totals/job.ts --env KAFKA_BROKERS=localhost:9092
import {
  ConsumerStrategies,
  defineJob,
  duration,
  env,
  json,
  LocationStrategies,
  StateSpec,
  seconds,
} from '@millrace/api';
import type { Purchase } from './purchase.ts';
import { countVisit, euros } from './visit.ts';

export default defineJob({ name: 'running-totals', batchInterval: seconds(1) }, (ssc) => {
  const purchases = ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe([env('PURCHASES_TOPIC', 'purchases')], {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'running-totals',
        startFrom: 'earliest',
        value: json<Purchase>(),
      }),
    )
    .map(({ value }) => [value.user, value.cents] as const);

  purchases
    .updateStateByKey(
      (cents: number[], total: number | undefined) => cents.reduce((a, b) => a + b, total ?? 0),
      { name: 'total-per-user', partitions: 2 },
    )
    .foreachRDD(async (totals, time) => {
      const top = await totals.top(3, ([, a], [, b]) => a - b);
      const list = top.map(([user, cents]) => `${user} ${euros(cents)}`).join(', ');
      console.log(`${new Date(time).toISOString().slice(11, 19)}  ${list}`);
    });

  purchases
    .mapWithState(
      StateSpec.function(countVisit)
        .named('visits')
        .numPartitions(2)
        .timeout(duration(env('VISIT_TIMEOUT', '30s'))),
    )
    .foreachRDD(async (ended) => {
      for (const line of await ended.collect()) console.log(line);
    });
});
