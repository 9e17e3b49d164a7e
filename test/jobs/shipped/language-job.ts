/* oxlint-disable no-shadow -- shadowed names are what is tried here */
// What lambdas may be made of: helpers of other files, classes, packages, JSON, cycles of modules, nested lambdas.
import { writeFileSync } from 'node:fs';
import { ConsumerStrategies, defineJob, env, LocationStrategies, perExecutor, type RDD } from '@millrace/api';
import { mean, Spread } from 'tiny-stats';
import { isEven } from './lib/even.ts';
import { EventCodec } from './lib/event.ts';
import { Discounted, Price, Tariff } from './lib/pricing.ts';
import weights from './lib/weights.json' with { type: 'json' };

const tariff = new Map([['all', [1, 2, 3]]]);
const rules = new Tariff(tariff.get('all') ?? [], 10);
const pool = perExecutor(() => ({ pid: process.pid, uses: 0 }));
const makers = [1, 10, 100].map((factor) => (n: number) => n * factor);

function* upTo(n: number): Generator<number> {
  for (let i = 0; i < n; i++) yield i;
}

const curried =
  (a: number) =>
  (b: number) =>
  (c: number): number =>
    a * 100 + b * 10 + c;

export default defineJob({ name: env('SHIPPED_NAME'), batchInterval: '50ms', batches: 1 }, async (ssc) => {
  // What the function waits for travels by value.
  const threshold = await Promise.resolve(5);
  const events = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe(env('SHIPPED_TOPIC'), {
      brokers: env('KAFKA_BROKERS'),
      groupId: 'shipped',
      startFrom: 'earliest',
      value: new EventCodec(':'),
    }),
  );
  const numbers = events.map((r) => r.value.n);
  numbers.foreachRDD(async (rdd) => {
    const n = 3;
    const shadowed = rdd.map((n) => [n].map((n) => n + 1)[0] ?? 0).map((x) => x + n);
    const inLoop: number[][] = [];
    for (let i = 0; i < 3; i++) inLoop.push(await rdd.map((x) => x + i).take(2));
    const results = {
      shadowed: await shadowed.collect(),
      inLoop,
      makers: await Promise.all(makers.map((make) => rdd.map(make).reduce((a, b) => a + b))),
      cycle: await rdd.filter(isEven).collect(),
      weights: await weighed(rdd.map((x) => (x % 2 === 0 ? 'view' : 'buy') as keyof typeof weights)),
      mean: await rdd.glom().map(mean).collect(),
      variance: await rdd
        .glom()
        .map((part) => new Spread(part).variance())
        .collect(),
      classes: await rdd
        .map((x) => new Discounted(x * 250))
        .map((price) => [price.label(), price instanceof Price, price.euros] as const)
        .take(2),
      narrowedThis: await rdd.map(rules.scale()).collect(),
      generator: await rdd.flatMap((x) => upTo(x % 4)).collect(),
      strings: await rdd.flatMap((x) => `é${x}`).take(3),
      maps: await rdd.flatMap((x) => new Map([[x, `v${x}`]])).take(2),
      curried: await rdd.map(curried(1)(2)).take(2),
      above: await rdd.filter((x) => x > threshold).count(),
      dynamic: await rdd
        .mapPartitions(async (rows) => {
          const path = await import('node:path');
          return (await rows.toArray()).map((x) => path.basename(`/a/b${x}`));
        })
        .take(2),
      sameLambdaTwice: await twice(rdd, (x) => x * 2),
      pids: new Set(await rdd.mapPartitions(() => [pool().pid]).collect()).size,
      ofHere: (await rdd.map(() => process.pid).collect()).includes(process.pid),
    };
    writeFileSync(env('SHIPPED_RESULT'), JSON.stringify(results));
  });
});

async function twice(rdd: RDD<number>, f: (x: number) => number): Promise<number[]> {
  return rdd.map(f).map(f).take(3);
}

async function weighed(kinds: RDD<keyof typeof weights>): Promise<number> {
  return kinds.map((kind) => weights[kind]).reduce((a, b) => a + b);
}
