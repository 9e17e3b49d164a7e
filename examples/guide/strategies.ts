// Every way to choose what a stream reads.
import {
  type ConsumerOptions,
  ConsumerStrategies,
  type ConsumerStrategy,
  defineJob,
  env,
  json,
  LocationStrategies,
} from '@millrace/api';
import type { Order } from './order.ts';

/** A strategy of one's own: the partitions with an even number. */
function evenPartitions<K = string | null, V = string>(
  topic: string,
  options: ConsumerOptions<K, V>,
): ConsumerStrategy<K, V> {
  return {
    options,
    describe: () => `even partitions of ${topic}`,
    async assign(admin) {
      const [found] = await admin.topics([topic]);
      const even = found?.partitions.filter(({ partition }) => partition % 2 === 0) ?? [];
      return { partitions: even.map(({ partition }) => ({ topic, partition })) };
    },
  };
}

export default defineJob({ name: 'strategies', batchInterval: '1s' }, (ssc) => {
  const { PreferConsistent } = LocationStrategies;
  const kafka = { brokers: env('KAFKA_BROKERS'), startFrom: 'earliest', value: json<Order>() } as const;

  // These topics, and partitions that are added to them later.
  const two = ConsumerStrategies.Subscribe(['orders', 'returns'], { ...kafka, groupId: 'audit-1' });

  // Every topic whose whole name matches, now or later.
  const shops = ConsumerStrategies.SubscribePattern(/shop-.+/, { ...kafka, groupId: 'audit-2' });

  // These partitions, from these offsets.
  const one = ConsumerStrategies.Assign([{ topic: 'orders', partition: 0 }], {
    ...kafka,
    groupId: 'audit-3',
    offsets: { 'orders-0': 1 },
  });

  const own = evenPartitions('orders', { ...kafka, groupId: 'audit-4' });

  const streams = [two, shops, one, own].map((each) => ssc.kafka.createDirectStream(PreferConsistent, each));
  for (const stream of streams) {
    stream.foreachRDD(async (rdd) =>
      console.log(rdd.partitions, 'partitions:', await rdd.count(), 'records'),
    );
  }
});
