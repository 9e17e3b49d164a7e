import { describe, expect, it } from '@jest/globals';
import {
  type Codec,
  ConsumerStrategies,
  type DirectStream,
  type DStream,
  HashPartitioner,
  json,
  type KafkaRecord,
  KafkaUtils,
  LocationStrategies,
  nullable,
  plainRecord,
  type RDD,
  type StreamingContext,
  utf8,
} from './index.ts';

interface Click {
  readonly user: string;
  readonly n: number;
}

/** Compiles only when both types are the same. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : never;
const same = <A, B>(_same: Same<A, B>): void => undefined;

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;

/** Never called: the compiler is the test. */
async function typed(ssc: StreamingContext, rdd: RDD<KafkaRecord<string | null, Click>>): Promise<void> {
  const clicks = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('clicks', { ...OPTIONS, value: json<Click>() }),
  );
  same<typeof clicks, DirectStream<string | null, Click>>(true);
  const assigned = KafkaUtils.createDirectStream(
    ssc,
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Assign([], { ...OPTIONS, key: utf8(), value: nullable(json<Click>()) }),
  );
  same<typeof assigned, DirectStream<string, Click | null>>(true);
  const text = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.SubscribePattern(/c.*/, OPTIONS),
  );
  same<typeof text, DirectStream>(true);

  const fixed = await ssc.kafka.createRDD({ ...OPTIONS, value: json<Click>() }, []);
  same<typeof fixed, RDD<KafkaRecord<string | null, Click>>>(true);
  const named = await KafkaUtils.createRDD(ssc, { ...OPTIONS, key: utf8(), value: json<Click>() }, []);
  same<typeof named, RDD<KafkaRecord<string, Click>>>(true);
  const custom: Codec<readonly number[]> = { decode: (b) => [...b], encode: (v) => Uint8Array.from(v) };
  const own = await ssc.kafka.createRDD({ ...OPTIONS, value: custom }, []);
  same<typeof own, RDD<KafkaRecord<string | null, readonly number[]>>>(true);

  const pairs = clicks.map((r) => [r.value.user, r.value.n] as const);
  same<typeof pairs, DStream<readonly [string, number]>>(true);
  same<ReturnType<typeof pairs.glom>, DStream<(readonly [string, number])[]>>(true);
  const doubled = pairs.mapValues((n) => n * 2).flatMapValues((n) => [`${n}`]);
  same<typeof doubled, DStream<[string, string]>>(true);
  const strings = clicks.map((r) => r.key).filter((key) => key !== null);
  same<typeof strings, DStream<string>>(true);
  const sizes = rdd.aggregate(
    new Map<string, number>(),
    (acc, r) => acc.set(r.value.user, 1),
    (a) => a,
  );
  same<typeof sizes, Promise<Map<string, number>>>(true);
  const counts = rdd.map((r) => r.value.n).countByValue();
  same<typeof counts, Promise<Map<number, number>>>(true);

  const byUser = rdd.map((r) => [r.value.user, r.value.n] as const);
  const sums = byUser.reduceByKey((a, b) => a + b, new HashPartitioner(4));
  same<typeof sums, RDD<[string, number]>>(true);
  const custom1 = byUser.groupByKey({ partitions: 2, partitionOf: (user) => user.length % 2 });
  same<typeof custom1, RDD<[string, number[]]>>(true);
  const outer = sums.leftOuterJoin(byUser.mapValues((n) => `${n}`));
  same<typeof outer, RDD<[string, [number, string | undefined]]>>(true);
  const groups = sums.cogroup(outer, byUser);
  same<typeof groups, RDD<[string, [number[], [number, string | undefined][], number[]]]>>(true);
  const sorted = await byUser.sortBy(([, n]) => n, { descending: true });
  same<typeof sorted, RDD<readonly [string, number]>>(true);
  const lists = byUser.aggregateByKey(
    [] as number[],
    (all, n) => [...all, n],
    (a, b) => [...a, ...b],
  );
  same<typeof lists, RDD<[string, number[]]>>(true);
  const perUser = await byUser.countByKey();
  same<typeof perUser, Map<string, number>>(true);
  const ones = rdd.map((r) => [r.value.user, 1] as const);
  const perName = ones.reduceByKey((a, b) => a + b);
  same<typeof perName, RDD<[string, number]>>(true);
  const folded = ones.foldByKey(0, (a, b) => a + b);
  same<typeof folded, RDD<[string, number]>>(true);
  const counted1 = clicks.map((r) => [r.value.user, 1] as const).reduceByKey((a, b) => a + b, 4);
  same<typeof counted1, DStream<[string, number]>>(true);
  type Cents = number & { readonly cents: true };
  const cents = rdd.map((r): [string, Cents] => [r.value.user, r.value.n as Cents]).reduceByKey((a) => a);
  same<typeof cents, RDD<[string, Cents]>>(true);
  const flags = rdd.map((r) => [r.value.user, r.value.n > 1] as const).reduceByKey((a, b) => a || b);
  same<typeof flags, RDD<[string, boolean]>>(true);
  const big = rdd.map((r) => [r.value.user, 1n] as const).reduceByKey((a, b) => a + b);
  same<typeof big, RDD<[string, bigint]>>(true);
  type Level = 'low' | 'high';
  const worst = rdd
    .map((r): [string, Level] => [r.value.user, r.value.n > 9 ? 'high' : 'low'])
    .reduceByKey((a, b) => (a === 'high' ? a : b));
  same<typeof worst, RDD<[string, Level]>>(true);
  const joined = pairs.reduceByKey((a, b) => a + b).join(doubled);
  same<typeof joined, DStream<[string, [number, string]]>>(true);
  const both = pairs.transformWith(strings, (a, b, time) =>
    a
      .keys()
      .cartesian(b)
      .map(([x, y]) => ({ x, y, time })),
  );
  same<typeof both, DStream<{ x: string; y: string; time: number }>>(true);
  const counted = strings.countByValue();
  same<typeof counted, DStream<[string, number]>>(true);

  // A spread copies no getter: the compiler knows.
  rdd
    // oxlint-disable-next-line no-misused-spread -- what is shown
    .map((r) => ({ ...r, extra: 1 }))
    .map((r) => {
      same<keyof typeof r, 'extra'>(true);
      return r.extra;
    });
  rdd.map((r) => ({ ...plainRecord(r), extra: 1 })).map((r) => r.value.user);
}

describe('the types of a job', () => {
  it('follow from the codecs to the sink without a type argument', () => {
    expect(typed).toBeInstanceOf(Function);
  });
});
