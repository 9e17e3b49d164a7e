// Rows that are not spread evenly: nine of ten have one key; one value is as large as many others together.
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

export default defineJob({ name: env('UNEVEN_NAME'), batchInterval: '200ms' }, (ssc) => {
  const rows = Number(env('UNEVEN_ROWS'));
  const valueBytes = Number(env('UNEVEN_VALUE_BYTES'));
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('UNEVEN_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'uneven',
        startFrom: 'earliest',
      }),
    )
    .foreachRDD(async () => {
      const print = (name: string, value: unknown): void => console.log(JSON.stringify({ name, value }));
      const numbers = ssc.parallelize([0, 1, 2, 3], 4).mapPartitionsWithIndex(function* (partition) {
        for (let at = partition; at < rows; at += 4) yield at;
      });
      const pairs = numbers.map((at) => [at % 10 < 9 ? 'hot' : `k${at}`, at] as const);
      const others = ssc.parallelize([
        ['hot', 1],
        ['hot', 2],
        ['k9', 3],
      ] as const);
      print('sum', (await pairs.reduceByKey((a, b) => a + b, 3).lookup('hot'))[0]);
      print('groups', await pairs.groupByKey(3).count());
      print(
        'largest',
        await pairs
          .groupByKey(3)
          .map(([, all]) => all.length)
          .reduce((a, b) => Math.max(a, b)),
      );
      print('pairs', await pairs.join(others, 3).count());
      print('first', (await pairs.join(others, 3).take(1)).length);
      print('sorted', await (await pairs.sortByKey({ partitions: 3 })).count());
      // A hot key on both sides: the product is never held.
      const hot = pairs.filter(([key, at]) => key === 'hot' && at < 2_000);
      print('product', await hot.join(hot, 3).count());
      const large = ssc
        .parallelize(['a', 'b'], 2)
        .map((key) => [key, key === 'a' ? 'x'.repeat(valueBytes) : 'y'] as const);
      print(
        'value',
        await large
          .groupByKey(2)
          .map(([key, [text = '']]) => [key, text.length])
          .collect(),
      );
    });
});
