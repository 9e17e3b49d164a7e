// JSON.parse of every value, then running sums of 100,000 users over 4 partitions, row by row.
import {
  ConsumerStrategies,
  defineJob,
  env,
  json,
  LocationStrategies,
  type State,
  StateSpec,
} from '@millrace/api';

export default defineJob({ name: env('BENCH_NAME'), batchInterval: '100ms', batches: 1 }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('BENCH_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'bench',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
        value: json<{ user: string; ms: number }>(),
      }),
    )
    .map((record): [string, number] => [record.value.user, record.value.ms])
    .mapWithState(
      StateSpec.function((_user: string, ms: number | undefined, state: State<number>) => {
        const sum = (state.getOption() ?? 0) + (ms ?? 0);
        state.update(sum);
        return sum;
      })
        .named('sums')
        .numPartitions(4),
    )
    .foreachRDD(async (rdd) => console.log(JSON.stringify({ counted: await rdd.count() })));
});
