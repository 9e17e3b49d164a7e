// Every action, and what lambdas share: broadcasts, accumulators, a batch's own values, fixed ranges, two streams with codecs of their own.
import { writeFileSync } from 'node:fs';
import {
  bytes,
  ConsumerStrategies,
  defineJob,
  env,
  LocationStrategies,
  nullable,
  plainRecord,
  TaskContext,
} from '@millrace/api';
import { EventCodec } from './lib/event.ts';

export default defineJob({ name: env('SHIPPED_NAME'), batchInterval: '50ms', batches: 1 }, (ssc) => {
  const topic = env('SHIPPED_TOPIC');
  const common = { brokers: env('KAFKA_BROKERS'), groupId: 'shipped', startFrom: 'earliest' } as const;
  const events = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(topic, { ...common, value: nullable(new EventCodec(':')) }),
  );
  const raw = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Assign([{ topic, partition: 0 }], { ...common, groupId: 'raw', value: bytes() }),
  );
  const table = ssc.broadcast(new Map([['click', Buffer.from('c!')]]));
  const rows = ssc.accumulator(0, 'rows');
  const seen = ssc.collectionAccumulator<unknown>('seen');
  let factor = 1;
  const numbers = events.transform((rdd, time) => {
    factor = time > 0 ? 7 : 0;
    const ofThisBatch = factor;
    return rdd.map((r) => (r.value?.n ?? -1) * ofThisBatch);
  });
  const lengths = raw.map((r) => r.value.length);

  numbers.union(lengths, lengths).foreachRDD(async (rdd) => {
    await rdd.foreach((x) => {
      rows.add(1);
      if (TaskContext.get().attemptNumber === 0 && x === 0) throw new Error('the first attempt fails');
    });
    const again = ssc.broadcast(new Map([['click', Buffer.from('c!')]]));
    again.destroy();
    const results = {
      counted: rows.value,
      collect: await rdd.collect(),
      count: await rdd.count(),
      first: await rdd.first(),
      take: await rdd.take(4),
      isEmpty: [await rdd.isEmpty(), await rdd.filter(() => false).isEmpty()],
      reduce: await rdd.reduce((a, b) => a + b),
      fold: await rdd.fold(0, (a, b) => Math.max(a, b)),
      aggregate: await rdd.aggregate<number[]>(
        [],
        (acc, x) => {
          acc.push(x);
          return acc;
        },
        (a, b) => [...a, ...b],
      ),
      top: await rdd.top(3),
      takeOrdered: await rdd.takeOrdered(3, (a, b) => (a % 5) - (b % 5) || a - b),
      countByValue: [...(await rdd.map((x) => [x % 3, 'k'] as const).countByValue())],
      mapAsync: await rdd
        .mapAsync(async (x) => {
          await new Promise((resolve) => setTimeout(resolve, x % 3));
          return x;
        })
        .collect(),
      keyed: await rdd
        .keyBy((x) => x % 2)
        .mapValues((x) => x + 1)
        .flatMapValues((x) => [x, -x])
        .take(4),
      indexes: await rdd.mapPartitionsWithIndex((index) => [index]).collect(),
      sampled: await Promise.all([0, 1].map(() => rdd.sample(false, 0.5, 11).collect())),
      twoMegabytes: (await rdd.map((x) => String(x).padEnd(100_000, '.')).collect()).map((s) => s.length),
      broadcast: await rdd.map(() => `${table.value.get('click')?.toString()}`).first(),
    };
    writeFileSync(env('SHIPPED_RESULT'), JSON.stringify(results));
  });

  events.foreachRDD(async (rdd) => {
    await rdd.filter((r) => r.offset === 0).foreach((r) => seen.add(r));
    await rdd.foreachPartition(async (part) => {
      for await (const record of part) {
        if (record.offset === 1) seen.add({ ...plainRecord(record), headers: [] });
      }
    });
    const [range] = rdd.offsetRanges;
    const fixed = await ssc.kafka.createRDD({ brokers: common.brokers, value: new EventCodec(':') }, [
      { topic, partition: 0, from: 1, until: 3 },
      { topic, partition: 1, from: 'earliest', until: 'latest' },
    ]);
    const keys = await fixed.map(({ key, value }) => `${key}=${value.n}`).collect();
    writeFileSync(`${env('SHIPPED_RESULT')}.2`, JSON.stringify({ range, keys, seen: seen.value }));
  });
});
