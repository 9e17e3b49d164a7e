// Keyed operators over one batch; each prints what it made, sorted where its order is not promised.
import { createHash } from 'node:crypto';
import { ConsumerStrategies, defineJob, env, LocationStrategies } from '@millrace/api';

const byText = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();

export default defineJob({ name: env('SHUFFLE_NAME'), batchInterval: '200ms' }, (ssc) => {
  ssc.kafka
    .createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe(env('SHUFFLE_TOPIC'), {
        brokers: env('KAFKA_BROKERS'),
        groupId: 'shuffle',
        startFrom: 'earliest',
        maxRecordsPerBatch: 'unlimited',
      }),
    )
    .map((record) => {
      const [user, page, ms] = record.value.split(' ');
      return { user: user ?? '', page: page ?? '', ms: Number(ms) };
    })
    .foreachRDD(async (rdd) => {
      const print = (name: string, value: unknown): void => console.log(JSON.stringify({ name, value }));
      const users = rdd.map(({ user, ms }) => [user, ms] as const);
      const sums = users.reduceByKey((a, b) => a + b, 4);
      print('sums', byText(await sums.collect()));
      const groups = users.groupByKey(3).mapValues((values) => values.toSorted((a, b) => a - b));
      // A line of output is cut when it is long.
      print(
        'groups',
        createHash('sha256')
          .update(byText(await groups.collect()).join())
          .digest('hex'),
      );
      print(
        'pages',
        byText(
          await rdd
            .map(({ page }) => page)
            .distinct(2)
            .collect(),
        ),
      );
      const counts = users.mapValues(() => 1).reduceByKey((a, b) => a + b, 4);
      // Both are in four partitions by hash: nothing moves for it.
      print('joined', byText(await sums.join(counts).collect()));
      const other = rdd.filter(({ ms }) => ms % 2 === 0).map(({ user, page }) => [user, page] as const);
      print('missing', byText(await sums.subtractByKey(other).collect()));
      const sorted = await sums.sortBy(([, total]) => total, { partitions: 3 });
      print('sorted', await sorted.collect());
      print('spread', (await rdd.repartition(7).glom().collect()).length);
      print('pairs', await sums.cartesian(sums).count());
    });
});
