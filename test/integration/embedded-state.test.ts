import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  ConsumerStrategies,
  type DStream,
  defineJob,
  json,
  LocationStrategies,
  type State,
  StateSpec,
  type StreamingContext,
} from '@millrace/api';
import { resolveConfig } from '@millrace/common';
import { type DevBroker, startDevBroker } from '@millrace/devbroker';
import { connectKafka, KAFKA_OPTIONS, type KafkaClient } from '@millrace/kafka';
import { embed } from '@millrace/local';

type Pair = readonly [string, number];

let broker: DevBroker;
let client: KafkaClient;
let topics = 0;

beforeAll(async () => {
  broker = await startDevBroker();
  client = connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: broker.brokers }, 'test'));
});

afterAll(async () => {
  await client.close();
  await broker.close();
});

/** An application over one topic, run again and again on one directory. */
class Application {
  readonly stateDir = mkdtempSync(join(tmpdir(), 'millrace-state-'));
  readonly notices: string[] = [];
  readonly #topic: string;

  private constructor(topic: string) {
    this.#topic = topic;
  }

  static async on(pairs: readonly Pair[]): Promise<Application> {
    const topic = `embedded-state-${topics++}`;
    await client.createTopic(topic, { partitions: 2 });
    const application = new Application(topic);
    await application.produce(pairs);
    return application;
  }

  async produce(pairs: readonly Pair[]): Promise<void> {
    const producer = client.producer();
    await producer.send(
      this.#topic,
      pairs.map((pair) => ({ partition: 0, key: 'k', value: JSON.stringify(pair) })),
    );
    await producer.close();
  }

  get files(): readonly string[] {
    return readdirSync(this.#state).map((name) => join(this.#state, name));
  }

  get #state(): string {
    return join(this.stateDir, 'app', 'log', 'state');
  }

  /** One life of so many batches. */
  async run(
    build: (pairs: DStream<Pair>, ssc: StreamingContext) => void,
    config: Readonly<Record<string, unknown>> = {},
    batches = 1,
  ): Promise<void> {
    const job = defineJob({ name: 'app', batchInterval: '20ms', batches, ...config }, (ssc) => {
      const options = {
        brokers: broker.brokers,
        groupId: 'g',
        startFrom: 'earliest',
        value: json<Pair>(),
      } as const;
      const stream = ssc.kafka.createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe(this.#topic, options),
      );
      build(
        stream.map(({ value }) => value),
        ssc,
      );
    });
    const application = await embed(job, {
      stateDir: this.stateDir,
      onEvent: (event) => {
        if (event.kind === 'notice') this.notices.push(event.text);
      },
    });
    await application.start();
    await application.awaitTermination({ timeoutMs: 20_000 });
  }

  close(): void {
    rmSync(this.stateDir, { recursive: true, force: true });
  }
}

const add = (values: number[], total: number | undefined): number =>
  values.reduce((a, b) => a + b, total ?? 0);
const sorted = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).toSorted();

async function on(pairs: readonly Pair[], use: (application: Application) => Promise<void>): Promise<void> {
  const application = await Application.on(pairs);
  try {
    await use(application);
  } finally {
    application.close();
  }
}

describe('keyed state from run to run', () => {
  it('moves when the number of partitions changes, and stays where it is when none is given', async () => {
    await on(
      Array.from({ length: 50 }, (_, n): Pair => [`k${n % 10}`, 1]),
      async (application) => {
        let rows: readonly unknown[] = [];
        let partitions = 0;
        const totals = (count?: number) => (pairs: DStream<Pair>) =>
          pairs
            .updateStateByKey(add, { name: 'totals', ...(count !== undefined && { partitions: count }) })
            .foreachRDD(async (rdd) => {
              rows = await rdd.collect();
              partitions = (await rdd.glom().collect()).length;
            });
        await application.run(totals(4));
        for (const [count, expected] of [
          [1, 1],
          [undefined, 1],
          [7, 7],
          [3, 3],
        ] as const) {
          await application.produce([['k0', 1]]);
          await application.run(totals(count), {}, 2);
          expect([partitions, rows.length]).toEqual([expected, 10]);
        }
        expect(sorted(rows)[0]).toBe('["k0",9]');
        expect(sorted(rows)[1]).toBe('["k1",5]');
      },
    );
  });

  it('moves when the partitioner is another one, and no key is lost to one that gives no partition', async () => {
    await on(
      [
        ['a', 1],
        ['b', 1],
      ],
      async (application) => {
        let rows: readonly unknown[] = [];
        const totals = (partitionOf: (key: string) => number) => (pairs: DStream<Pair>) =>
          pairs
            .updateStateByKey(add, { name: 'totals', partitions: { partitions: 2, partitionOf } })
            .foreachRDD(async (rdd) => {
              rows = await rdd.collect();
            });
        await application.run(totals((key) => (key === 'a' ? 0 : 1)));
        // Written at the same place of the same job.
        await application.produce([['a', 1]]);
        await application.run(totals((key) => (key === 'a' ? 1 : 0)));
        expect(sorted(rows)).toEqual(['["a",2]', '["b",1]']);
        await application.produce([['a', 1]]);
        await expect(application.run(totals((key) => (key === 'a' ? 1 : -1)))).rejects.toMatchObject({
          code: 'USER_CODE',
          what: expect.stringContaining('the partitioner gave -1'),
        });
        await application.run(totals((key) => (key === 'a' ? 1 : 0)));
        expect(sorted(rows)).toEqual(['["a",3]', '["b",1]']);
      },
    );
  });

  it('begins with the initial state once, and never again', async () => {
    await on([['a', 1]], async (application) => {
      const seen: string[][] = [];
      const build = (pairs: DStream<Pair>, ssc: StreamingContext): void => {
        const initial = ssc.parallelize<[string, number]>(
          [
            ['a', 10],
            ['b', 20],
          ],
          2,
        );
        pairs
          .updateStateByKey(add, { name: 'totals', partitions: 2, initialState: initial })
          .foreachRDD(async (rdd) => void seen.push(sorted(await rdd.collect())));
        const counted = pairs.mapWithState(
          StateSpec.function((key: string, value: number | undefined, state: State<number>) => {
            state.update((state.getOption() ?? 0) + (value ?? 0));
            return [key, state.get()] as const;
          })
            .named('counted')
            .initialState(() => initial.map(([key, n]) => [key, n])),
        );
        counted.foreachRDD(async (rdd) => void seen.push(sorted(await rdd.collect())));
        counted.stateSnapshots().foreachRDD(async (rdd) => void seen.push(sorted(await rdd.collect())));
      };
      await application.run(build);
      const first = ['["a",11]', '["b",20]'];
      expect(seen.splice(0)).toEqual([first, ['["a",11]'], first]);
      await application.run(build);
      expect(seen.splice(0)).toEqual([first, [], first]);
    });
  });

  it('goes through migrate when its version is another one, once; without it the job is refused', async () => {
    await on([['a', 1]], async (application) => {
      const seen: unknown[] = [];
      await application.run((pairs) =>
        pairs.updateStateByKey(add, { name: 'totals' }).foreachRDD(() => undefined),
      );
      const second = (migrates: boolean) => (pairs: DStream<Pair>) =>
        pairs
          .updateStateByKey<string, number, { readonly sum: number }>(
            (values, total) => ({ sum: add(values, total?.sum) }),
            {
              name: 'totals',
              version: 1,
              ...(migrates && {
                migrate: (state: unknown, version: number) => ({ sum: (state as number) * 100 + version }),
              }),
            },
          )
          .foreachRDD(async (rdd) => void seen.push(await rdd.collect()));
      await expect(application.run(second(false))).rejects.toMatchObject({ code: 'STATE_VERSION' });
      await application.run(second(true), {}, 3);
      await application.run(second(true));
      expect(seen).toEqual(Array.from({ length: 4 }, () => [['a', { sum: 100 }]]));
    });
  });

  it('is kept when its operator has another name, and dropped when that is asked for', async () => {
    await on([['a', 1]], async (application) => {
      const seen: unknown[] = [];
      const named = (name: string) => (pairs: DStream<Pair>) =>
        pairs
          .updateStateByKey(add, { name })
          .foreachRDD(async (rdd) => void seen.push(...(await rdd.collect())));
      await application.run(named('old'));
      await application.produce([['a', 5]]);
      await application.run(named('new'));
      expect(application.notices.filter((text) => text.includes('"old"'))).toHaveLength(1);
      await application.run(named('old'));
      expect(seen.splice(0)).toEqual([
        ['a', 1],
        ['a', 5],
        ['a', 1],
      ]);
      await expect(application.run(named('old'), { dropState: ['old'] })).rejects.toMatchObject({
        code: 'JOB_INVALID',
      });
      await application.run(named('new'), { dropState: ['old'] });
      await application.run(named('new'), { dropState: ['old'] });
      seen.splice(0);
      await application.run(named('old'));
      expect(seen).toEqual([]);
    });
  });

  it('costs what was touched, and old files go', async () => {
    await on([], async (application) => {
      const spec = StateSpec.function((_: string, value: number | undefined, state: State<number>) => {
        state.update((state.getOption() ?? 0) + (value ?? 0));
        return undefined;
      }).named('counts');
      const build = (pairs: DStream<Pair>): void =>
        pairs.mapWithState(spec.numPartitions(1)).foreachRDD(() => undefined);
      const all = Array.from({ length: 5_000 }, (_, n): Pair => [`user-${n}`, 1]);
      await application.produce(all);
      await application.run(build);
      const [whole = 0] = application.files.map((file) => readFileSync(file).length);
      expect(whole).toBeGreaterThan(50_000);
      for (let n = 0; n < 5; n++) {
        await application.produce([[`user-${n}`, 1]]);
        await application.run(build);
      }
      const sizes = application.files.map((file) => readFileSync(file).length).toSorted((a, b) => a - b);
      expect(sizes).toHaveLength(6);
      expect(sizes.slice(0, 5).every((bytes) => bytes < 1_500)).toBe(true);
      // Everything changes: that is a snapshot, and what it replaces goes.
      await application.produce(all);
      await application.run(build);
      expect(application.files).toHaveLength(1);
    });
  });

  it('is refused when a file is damaged or gone, and what no commit names is removed', async () => {
    await on([['a', 1]], async (application) => {
      const build = (pairs: DStream<Pair>): void =>
        pairs.updateStateByKey(add, { name: 'totals' }).foreachRDD(() => undefined);
      await application.run(build);
      const [file = ''] = application.files;
      const good = readFileSync(file);
      writeFileSync(join(file, '..', '00000001-1.state'), 'left by a batch that was not committed');
      await application.run(build);
      expect(application.files).toEqual([file]);
      rmSync(file);
      await expect(application.run(build)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
      writeFileSync(file, good.subarray(0, good.length - 1));
      await expect(application.run(build)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
      writeFileSync(file, good.with(good.length - 9, 1));
      await expect(application.run(build)).rejects.toMatchObject({ code: 'STATE_CORRUPT' });
      writeFileSync(file, good);
      await application.run(build);
    });
  });

  it('moves on also when no output asks for it, and in windows over it', async () => {
    await on([['a', 1]], async (application) => {
      // Far longer than the window slides: batches may be late.
      const seen: unknown[] = [];
      await application.run(
        (pairs) => {
          pairs.updateStateByKey(add, { name: 'unseen' }).foreachRDD(() => undefined);
          pairs
            .updateStateByKey(add, { name: 'windowed' })
            .window('8s', '80ms')
            .foreachRDD(async (rdd) => void seen.push(await rdd.count()));
        },
        {},
        9,
      );
      expect(Math.max(...(seen as number[]))).toBeGreaterThan(2);
      const later: unknown[] = [];
      await application.run(
        (pairs) => {
          pairs
            .updateStateByKey(add, { name: 'unseen' })
            .foreachRDD(async (rdd) => void later.push(await rdd.collect()));
          pairs
            .updateStateByKey(add, { name: 'windowed' })
            .window('8s', '80ms')
            .foreachRDD(async (rdd) => void (await rdd.count()));
        },
        {},
        9,
      );
      expect(later[0]).toEqual([['a', 1]]);
    });
  });

  it('stands on windows that no other output asks for', async () => {
    await on([['a', 1]], async (application) => {
      const seen: unknown[] = [];
      // All batches have the row.
      const build =
        (isSeen: boolean) =>
        (pairs: DStream<Pair>): void => {
          pairs.foreachRDD(() => undefined);
          const totals = pairs.window('10s').updateStateByKey(add, { name: 'totals' });
          if (isSeen) totals.foreachRDD(async (rdd) => void seen.push(...(await rdd.collect())));
        };
      await application.run(build(false), {}, 4);
      await application.run(build(true));
      expect(seen).toEqual([['a', 5]]);
    });
  });

  it('below a window is computed once a batch', async () => {
    await on([], async (application) => {
      const calls = new Map<number, number>();
      const spec = StateSpec.function(
        (_: string, value: number | undefined, state: State<number>, time: number) => {
          calls.set(time, (calls.get(time) ?? 0) + 1);
          state.update(value ?? 0);
          return value;
        },
      ).named('counted');
      let rows = 0;
      await application.run(
        (_, ssc) => {
          const row: readonly Pair[] = [['a', 1]];
          ssc
            .queueStream(Array.from({ length: 12 }, () => ssc.parallelize(row)))
            .mapWithState(spec)
            .map((n) => n)
            .window('80ms', '80ms')
            .foreachRDD(async (rdd) => {
              rows += await rdd.count();
            });
        },
        {},
        12,
      );
      expect(rows).toBeGreaterThan(4);
      expect([...calls.values()]).toEqual(Array.from({ length: 12 }, () => 1));
    });
  });

  it('has keys of all kinds, by content, in more partitions than keys', async () => {
    const texts = ['', 'é', '\ud800'];
    const others = [1n, 2n ** 80n, true, null, undefined, []];
    const keys = (): readonly unknown[] => [
      ...texts,
      ...others,
      0,
      Number.NaN,
      { b: 1, a: 2 },
      new Date(5),
      Buffer.from('x'),
      new Uint8Array(0),
    ];
    const same = (): readonly unknown[] => [
      ...texts,
      ...others,
      -0,
      Number.NaN,
      { a: 2, b: 1 },
      new Date(5),
      Uint8Array.of(120),
      Buffer.alloc(0),
    ];
    await on([], async (application) => {
      const seen: (readonly number[])[] = [];
      await application.run(
        (_, ssc) => {
          const batches = [keys(), same(), keys()];
          ssc
            .queueStream(batches.map((each) => ssc.parallelize(each.map((key) => [key, 1] as const))))
            .updateStateByKey(add, { name: 'totals', partitions: 100 })
            .foreachRDD(async (rdd) => void seen.push((await rdd.collect()).map(([, n]) => n)));
        },
        {},
        3,
      );
      expect(seen).toEqual([1, 2, 3].map((n) => keys().map(() => n)));
    });
  });

  it('is remembered as it was, for slice()', async () => {
    await on([], async (application) => {
      const seen: unknown[] = [];
      const times: number[] = [];
      const count = StateSpec.function((_: string, value: number | undefined, state: State<number>) => {
        state.update((state.getOption() ?? 0) + (value ?? 0));
        return state.get();
      }).named('counts');
      await application.run(
        (_, ssc) => {
          ssc.remember('20s');
          const row: readonly Pair[] = [['a', 1]];
          const ones = ssc.queueStream(Array.from({ length: 5 }, () => ssc.parallelize(row)));
          const totals = ones.updateStateByKey(add, { name: 'totals' }).values();
          const counts = ones.mapWithState(count);
          const snapshots = counts.stateSnapshots().values();
          totals.foreachRDD(async (__, time) => {
            times.push(time);
            for (const stream of times.length < 5 ? [] : [totals, counts, snapshots]) {
              const rdds = await stream.slice(times[0] ?? 0, time);
              seen.push(await Promise.all(rdds.map((rdd) => rdd.collect())));
            }
          });
        },
        {},
        5,
      );
      expect(seen).toEqual([1, 2, 3].map(() => [[1], [2], [3], [4], [5]]));
      const late = application.run((pairs) => {
        const counts = pairs.mapWithState(count);
        counts.foreachRDD(() => void counts.stateSnapshots());
      });
      await expect(late).rejects.toMatchObject({ code: 'JOB_INVALID' });
    });
  });

  it('of a window goes on after a gap that is longer than the window', async () => {
    await on([['a', 1]], async (application) => {
      const sums = (pairs: DStream<Pair>): void =>
        pairs
          .reduceByKeyAndWindow(
            (a, b) => a + b,
            (a, b) => a - b,
            '40ms',
            '20ms',
            { name: 'sums' },
          )
          .foreachRDD(() => undefined);
      await application.run(sums);
      const [before] = application.files;
      await new Promise((resolve) => setTimeout(resolve, 100));
      await application.produce([['b', 1]]);
      await application.run(sums);
      expect(application.files).toHaveLength(1);
      expect(application.files[0]).not.toBe(before);
    });
  });

  it('of a window with an inverse is what the window has without, over restarts, gaps and other partition counts', async () => {
    await on([], async (application) => {
      const seen: string[][] = [];
      const build = (partitions: number) => (pairs: DStream<Pair>) => {
        const sum = (a: number, b: number): number => a + b;
        const minus = (a: number, b: number): number => a - b;
        let plain: string[] = [];
        pairs.reduceByKeyAndWindow(sum, '120ms', '40ms').foreachRDD(async (rdd) => {
          plain = sorted(await rdd.collect());
        });
        pairs
          .reduceByKeyAndWindow(sum, minus, '120ms', '40ms', { name: 'sums', partitions })
          .foreachRDD(async (rdd) => void seen.push(plain, sorted(await rdd.collect())));
      };
      for (const [life, partitions] of [2, 2, 3, 1, 1].entries()) {
        const running = application.run(build(partitions), {}, 10);
        for (let n = 0; n < 15; n++) await application.produce([[`k${(n * life) % 7}`, n]]);
        await running;
        if (life === 3) await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(seen.filter((_, index) => index % 2 === 1)).toEqual(seen.filter((_, index) => index % 2 === 0));
      expect(seen.some((rows) => rows.length > 1)).toBe(true);
    });
  });

  it('of updateStateByKey is not taken for that of a window', async () => {
    await on([['a', 1]], async (application) => {
      await application.run((pairs) =>
        pairs.updateStateByKey(add, { name: 'totals' }).foreachRDD(() => undefined),
      );
      const window = (pairs: DStream<Pair>): void =>
        pairs
          .reduceByKeyAndWindow(
            (a, b) => a + b,
            (a, b) => a - b,
            '40ms',
            '20ms',
            { name: 'totals' },
          )
          .foreachRDD(() => undefined);
      await expect(application.run(window)).rejects.toMatchObject({
        code: 'STATE_VERSION',
        what: expect.stringContaining('is that of updateStateByKey'),
      });
    });
  });

  it('needs a directory, a name of its own, and functions that keep to its rules', async () => {
    const job = defineJob({ name: 'app', batchInterval: '20ms' }, (ssc) => {
      const pairs = ssc.queueStream([ssc.parallelize([['a', 1] as const])]);
      pairs.updateStateByKey(add, { name: 'totals' }).foreachRDD(() => undefined);
    });
    await expect(embed(job).then((application) => application.start())).rejects.toMatchObject({
      code: 'STATE_STORE_MISSING',
    });
    await on([['a', 1]], async (application) => {
      const mistakes = (pairs: DStream<Pair>): void => {
        const spec = StateSpec.function((_: string, value: number | undefined) => value);
        pairs.updateStateByKey(add, { name: 'same' }).foreachRDD(() => undefined);
        pairs.mapWithState(spec.named('same')).foreachRDD(() => undefined);
        pairs.updateStateByKey(add, {} as never).foreachRDD(() => undefined);
        pairs.mapWithState(spec as never).foreachRDD(() => undefined);
        pairs.mapWithState(spec.named('t').timeout(0)).foreachRDD(() => undefined);
        pairs.updateStateByKey(add, { name: 'p', partitions: 0 }).foreachRDD(() => undefined);
        pairs.updateStateByKey(async () => 1, { name: 'async' }).foreachRDD(() => undefined);
      };
      const error = await application.run(mistakes).catch((thrown: unknown) => thrown);
      const text = String(error);
      for (const part of [
        'there is state named "same" already',
        'updateStateByKey() has no name',
        'mapWithState() has no name',
        'the timeout is 0',
        'the number of partitions cannot be 0',
        'returned a Promise',
      ])
        expect(text).toContain(part);
      const misuse = (use: (state: State<unknown>) => unknown) => (pairs: DStream<Pair>) =>
        pairs
          .mapWithState(
            StateSpec.function((_: string, _value: number | undefined, state: State<unknown>) =>
              use(state),
            ).named('m'),
          )
          .foreachRDD(() => undefined);
      for (const use of [
        (state: State<unknown>) => state.get(),
        (state: State<unknown>) => {
          state.remove();
          state.update(1);
        },
        (state: State<unknown>) => state.update(undefined),
      ])
        await expect(application.run(misuse(use))).rejects.toMatchObject({ code: 'STATE_MISUSED' });
      class Foo {
        readonly n = 1;
      }
      await expect(application.run(misuse((state) => state.update(new Foo())))).rejects.toMatchObject({
        code: 'USER_CODE',
        message: expect.stringContaining('Foo'),
      });
    });
  });
});
