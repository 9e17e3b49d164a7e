// What is no key, no partition, or cannot be moved: only its tasks can see that.
import { type DStream, defineJob, env, LocationStrategies } from '@millrace/api';
import { badTopic } from './bad-topic.ts';

class Session {
  readonly user = 'ann';
}

const MISTAKES: Readonly<Record<string, (values: DStream<string>) => DStream<unknown>>> = {
  'bad-key-combined': (values) =>
    values.map((value) => [new Map([[value, 1]]), 1] as const).reduceByKey((a, b) => a + b),
  'bad-key-grouped': (values) => values.map((value) => [new Session(), value] as const).groupByKey(),
  'bad-key-joined': (values) => {
    const bySymbol = values.map((value) => [Symbol.for(value), value] as const);
    return bySymbol.join(values.map((value) => [Symbol.for(value), 1] as const));
  },
  'bad-key-sorted': (values) =>
    values.transform((rdd) => rdd.map((value) => [{ value }, 1] as const).sortByKey({ partitions: 2 })),
  'bad-partition': (values) =>
    values
      .map((value) => [value, 1] as const)
      .partitionBy({ partitions: 2, partitionOf: (key) => key.length }),
  'bad-value-moved': (values) => values.map((value) => ({ value, later: () => value })).repartition(2),
};

export default defineJob({ name: env('BAD_NAME'), batchInterval: '100ms' }, (ssc) => {
  const values = ssc.kafka
    .createDirectStream(LocationStrategies.PreferConsistent, badTopic())
    .map(({ value }) => value);
  MISTAKES[env('BAD_NAME')]?.(values).print();
});
