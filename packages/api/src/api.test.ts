import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { decodeResult, emptyResult } from './actions/index.ts';
import { canonicalKey } from './canonical-key.ts';
import { defineJob, evaluateJob } from './define-job.ts';
import { bytes, json, nullable, utf8 } from './kafka/codec.ts';
import { checkConsumerOptions } from './kafka/consumer-options.ts';
import { ConsumerStrategies, type StrategyAdmin } from './kafka/consumer-strategies.ts';
import { LocationStrategies } from './kafka/location-strategies.ts';
import { literalRanges } from './kafka/range-spec.ts';
import type { JobRequest, JobRunner } from './lineage/job-runner.ts';
import type { RddNode } from './lineage/rdd-node.ts';
import { RDD } from './rdd.ts';
import { BatchRdds } from './stream/compute-rdd.ts';
import { runWithTaskContext, TaskContext, type TaskContextData } from './task-context.ts';

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;

/** Answers jobs from given results; remembers them. */
function fakeRunner(
  results: (job: JobRequest) => unknown[] = () => [],
): JobRunner & { jobs: JobRequest[]; shipped: string[] } {
  const jobs: JobRequest[] = [];
  const shipped: string[] = [];
  return {
    jobs,
    shipped,
    async run(job) {
      jobs.push(job);
      return results(job).map((result) => serialize(result));
    },
    ship(_fn, where) {
      shipped.push(where);
      return { hash: `${shipped.length}`, bytes: new Uint8Array(), place: 'job.ts:1:1', broadcastIds: [] };
    },
    broadcast: () => 'hash',
    dropBroadcast: () => undefined,
    print: () => undefined,
    notice: () => undefined,
    kafka() {
      throw new Error('not used');
    },
  };
}

const rows = (partitions: number): RddNode => ({
  kind: 'rows',
  partitions: Array.from({ length: partitions }, () => []),
});

describe('RDD actions', () => {
  it('merge partitions in partition order', async () => {
    expect(
      await new RDD<string>(
        rows(2),
        fakeRunner(() => [['a', 'b'], ['c']]),
      ).collect(),
    ).toEqual(['a', 'b', 'c']);
    expect(
      await new RDD(
        rows(3),
        fakeRunner(() => [1, 2, 4]),
      ).count(),
    ).toBe(7);
    const reduce = fakeRunner(() => [['a'], [], ['b']]);
    expect(await new RDD<string>(rows(3), reduce).reduce((a, b) => a + b)).toBe('ab');
  });

  it('take reads further partitions only when it must', async () => {
    const runner = fakeRunner(({ partitions = [] }) => partitions.map((p) => (p < 2 ? [] : [`p${p}`])));
    expect(await new RDD<string>(rows(9), runner).take(2)).toEqual(['p2', 'p3']);
    expect(runner.jobs.map(({ partitions }) => partitions)).toEqual([[0], [1, 2, 3, 4]]);
    expect(runner.jobs.at(-1)?.action.numbers).toEqual([2]);
  });

  it('say what to do about an empty RDD', async () => {
    const runner = fakeRunner(() => [[]]);
    await expect(new RDD(rows(1), runner).first()).rejects.toThrow('first() of an empty RDD. Ask isEmpty()');
    await expect(new RDD<number>(rows(1), runner).reduce((a, b) => a + b)).rejects.toThrow(
      'reduce() of an empty RDD',
    );
    expect(await new RDD(rows(0), runner).isEmpty()).toBe(true);
  });

  it('combine equal values of different partitions in countByValue', async () => {
    const runner = fakeRunner(() => [
      [
        [['u', 1], 2],
        [['u', 2], 1],
      ],
      [[['u', 1], 3]],
    ]);
    expect([...(await new RDD(rows(2), runner).countByValue())]).toEqual([
      [['u', 1], 5],
      [['u', 2], 1],
    ]);
  });

  it('sort what partitions kept in order', async () => {
    const runner = fakeRunner(() => [
      [9, 7],
      [8, 1],
    ]);
    expect(await new RDD<number>(rows(2), runner).top(3)).toEqual([9, 8, 7]);
  });

  it('refuse wrong numbers and async element functions before anything runs', async () => {
    const runner = fakeRunner();
    const rdd = new RDD<number>(rows(1), runner);
    const asyncFunction: () => unknown = async () => undefined;
    await expect(rdd.take(-1)).rejects.toThrow('n cannot be -1');
    await expect(rdd.take(1.5)).rejects.toThrow('n cannot be 1.5');
    expect(() => rdd.sample(false, 2)).toThrow('fraction cannot be 2');
    expect(() => rdd.map(async (x) => x)).toThrow('ELEMENT_PROMISE');
    expect(() => rdd.mapAsync(async (x) => x, { concurrency: 0 })).toThrow('concurrency cannot be 0');
    await expect(rdd.foreach(asyncFunction)).rejects.toThrow('ELEMENT_PROMISE');
    await expect(rdd.fold(new (class Sum {})() as never, (a) => a)).rejects.toThrow(
      'must be plain data: the zero value is an instance of Sum',
    );
    expect(runner.jobs).toEqual([]);
  });

  it('show the offset ranges at every stage', () => {
    const range = { topic: 't', partition: 0, fromOffset: 1, untilOffset: 5 };
    const kafka = { kind: 'kafka', source: {} as never, ranges: [range] } as const;
    const runner = fakeRunner();
    const rdd = new RDD<number>(kafka, runner).map((x) => x).union(new RDD<number>(kafka, runner));
    expect(rdd.offsetRanges).toEqual([range, range]);
    expect(rdd.partitions).toBe(2);
  });

  it('know the result of a partition without rows', () => {
    const call = (kind: 'collect' | 'count' | 'fold' | 'foreachPartition') =>
      emptyResult({
        kind,
        functions: [],
        numbers: [],
        place: '',
        ...(kind === 'fold' ? { value: serialize(5) } : {}),
      });
    expect(decodeResult(call('collect') as Uint8Array)).toEqual([]);
    expect(decodeResult(call('count') as Uint8Array)).toBe(0);
    expect(decodeResult(call('fold') as Uint8Array)).toBe(5);
    expect(call('foreachPartition')).toBeUndefined();
  });
});

describe('canonical keys', () => {
  it.each([
    [0, -0],
    [Number.NaN, Number.NaN],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    [
      ['u', 1n],
      ['u', 1n],
    ],
    [new Date(5), new Date(5)],
    [Buffer.from('x'), new Uint8Array([120])],
  ])('are equal for %p and %p', (a, b) => expect(canonicalKey(a)).toBe(canonicalKey(b)));

  it.each([
    [1, '1'],
    [1, 1n],
    [null, undefined],
    [['a', 'b'], ['ab']],
    [
      ['a:1', 'b'],
      ['a', '1:b'],
    ],
    [{ a: 1 }, { a: '1' }],
    [[], {}],
  ])('differ for %p and %p', (a, b) => expect(canonicalKey(a)).not.toBe(canonicalKey(b)));

  it('refuse what would never combine', () => {
    expect(() => canonicalKey(() => 1)).toThrow('a function cannot be a key');
    expect(() => canonicalKey(new (class Money {})())).toThrow('a Money cannot be a key');
  });
});

describe('consumer options', () => {
  it('resolve with defaults', () => {
    const { value } = checkConsumerOptions({ ...OPTIONS, offsets: { 'views-0': 5 } }, 'x');
    expect(value).toMatchObject({
      groupId: 'g',
      startFrom: 'earliest',
      isolation: 'read_committed',
      maxRecordsPerBatch: 1_000_000,
    });
    expect(value?.offsets.get('views-0')).toBe(5);
  });

  it('report all problems, refuse auto-commit and translate foreign names', () => {
    const { problems } = checkConsumerOptions(
      {
        'bootstrap.servers': 'a:1',
        'enable.auto.commit': true,
        gruopId: 'g',
        startFrom: 'beginning',
        maxRatePerPartition: 0,
        value: {},
      },
      'x',
    );
    const all = problems.join('\n');
    expect(all).toContain('"bootstrap.servers" is called "brokers" here');
    expect(all).toContain('auto-commit would lose records');
    expect(all).toContain('did you mean "groupId"?');
    expect(all).toContain("expected 'earliest', 'latest' or { timestamp: ms }");
    expect(all).toContain("expected a number above 0, or 'unlimited'");
    expect(all).toContain('expected a codec');
    expect(all).toContain('"groupId" is required');
  });

  it.each([{ 'views-x': 1 }, { 'views-0': -1 }, { 'views-0': 2 ** 53 }, { 'views-0': '5' }])(
    'refuse offsets %p',
    (offsets) => {
      expect(checkConsumerOptions({ ...OPTIONS, offsets }, 'x').problems).toHaveLength(1);
    },
  );
});

describe('consumer strategies', () => {
  const topic = (name: string, partitions: number) => ({
    topic: name,
    topicId: undefined,
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      leaderId: 1,
      leaderHost: 'h',
      leaderEpoch: 0,
    })),
  });
  const admin = {
    topics: async (names?: readonly string[]) =>
      [topic('clicks', 1), topic('views', 2), topic('views-old', 1), topic('__offsets', 1)].filter(
        (t) => names === undefined || names.includes(t.topic),
      ),
  } as unknown as StrategyAdmin;

  it('subscribe to all partitions of their topics', async () => {
    const { partitions } = await ConsumerStrategies.Subscribe(['views', 'clicks', 'views'], OPTIONS).assign(
      admin,
      new Map(),
    );
    expect(partitions.map((tp) => `${tp.topic}-${tp.partition}`)).toEqual(['clicks-0', 'views-0', 'views-1']);
  });

  it('match whole names, never internal ones', async () => {
    const { partitions } = await ConsumerStrategies.SubscribePattern(/views|_.*/g, OPTIONS).assign(
      admin,
      new Map(),
    );
    expect(partitions.map((tp) => tp.topic)).toEqual(['views', 'views']);
  });

  it('refuse a partition that is assigned twice or does not exist', async () => {
    const zero = { topic: 'views', partition: 0 };
    const twice = ConsumerStrategies.Assign([zero, zero], OPTIONS);
    expect(() => twice.check?.()).toThrow('views-0 is listed twice');
    for (const nothing of [
      ConsumerStrategies.Subscribe([], OPTIONS),
      ConsumerStrategies.Subscribe(['views', ''], OPTIONS),
      ConsumerStrategies.Assign([], OPTIONS),
    ])
      expect(() => nothing.check?.()).toThrow('CONFIG_INVALID');
    const missing = ConsumerStrategies.Assign([zero, { topic: 'views', partition: 7 }], OPTIONS);
    await expect(missing.assign(admin, new Map())).rejects.toThrow('views-7 do not exist');
  });
});

describe('createRDD ranges', () => {
  it('need no look-up when all are offsets', () => {
    expect(literalRanges([{ topic: 't', partition: 0, from: 1, until: 2 }])).toMatchObject([
      { fromOffset: 1, untilOffset: 2 },
    ]);
    expect(literalRanges([{ topic: 't', from: 1, until: 2 }])).toBeUndefined();
    expect(literalRanges([{ topic: 't', partition: 0, from: 'earliest', until: 2 }])).toBeUndefined();
  });

  it.each([
    [2, 1],
    [-1, 1],
    [0, 2 ** 53],
    [0.5, 1],
  ])('refuse [%p, %p)', (from, until) => {
    expect(() => literalRanges([{ topic: 't', partition: 0, from, until }])).toThrow('OFFSET_RANGE_INVALID');
  });

  it('refuse all that are wrong at once', () => {
    const range = { topic: 't', partition: 0, from: 2, until: 1 };
    expect(() => literalRanges([range, { ...range, partition: 1 }, range])).toThrow(
      /4 problems.*of t-0 is not.*of t-1 is not.*of t-0 is not.*t-0 is listed twice/s,
    );
  });

  it('refuse a partition that is listed twice', () => {
    const range = { topic: 't', partition: 0, from: 1, until: 2 };
    expect(() => literalRanges([range, { ...range, from: 2 }])).toThrow('t-0 is listed twice');
  });
});

describe('codecs', () => {
  it('round-trip', () => {
    expect(utf8().decode(utf8().encode('grüße 👋'))).toBe('grüße 👋');
    expect(json<{ a: number }>().decode(json<{ a: number }>().encode({ a: 1 }))).toEqual({ a: 1 });
    expect(bytes().decode(new Uint8Array([1]))).toEqual(new Uint8Array([1]));
    expect(nullable(utf8()).decode(utf8().encode('x'))).toBe('x');
  });
});

describe('jobs', () => {
  const config = { name: 'job', batchInterval: '1s' } as const;

  it('report every problem of the graph at once', async () => {
    const job = defineJob(config, (ssc) => {
      const stream = ssc.kafka.createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe('views', { ...OPTIONS, brokers: '', nonsense: 1 }),
      );
      stream.map((async () => 1) as unknown as () => number);
    });
    const { context } = await evaluateJob(job);
    const problems = context.internals.graph.finish(fakeRunner().ship);
    expect(problems.map(({ code }) => code)).toEqual([
      'CONFIG_INVALID',
      'CONFIG_INVALID',
      'ELEMENT_PROMISE',
      'NO_OUTPUT_OPERATION',
    ]);
  });

  it('refuse unknown options and wrong names, with overrides on top', async () => {
    const wrong = defineJob({ ...config, name: 'no spaces', taskTimeout: '5m' }, () => undefined);
    const { options, context } = await evaluateJob(wrong, { batchs: 1 });
    const problems = context.internals.graph.finish(fakeRunner().ship);
    expect(problems.map(({ code }) => code)).toEqual([
      'CONFIG_INVALID',
      'CONFIG_INVALID',
      'NO_OUTPUT_OPERATION',
    ]);
    expect(problems[0]?.what).toContain('did you mean "batches"?');
    expect(problems[1]?.what).toContain('"name"');
    // Good enough to look for more problems, and no name of an application.
    expect(options).toMatchObject({ name: '.unnamed', batchInterval: 1000, taskTimeout: 300_000 });
    expect(
      (
        await evaluateJob(
          defineJob(config, () => undefined),
          { batchInterval: '50ms' },
        )
      ).options.batchInterval,
    ).toBe(50);
  });

  it('say when the job function throws', async () => {
    const job = defineJob(config, () => {
      throw new Error('boom');
    });
    await expect(evaluateJob(job)).rejects.toThrow(
      'boom. Mend what the job function throws. [JOB_EVALUATION_FAILED]',
    );
  });

  it('need a function, and a strategy for a stream', async () => {
    const functionless = defineJob(config, undefined as unknown as () => void);
    await expect(evaluateJob(functionless)).rejects.toThrow('no function that makes the streams');
    const aimless = defineJob(config, (ssc) => {
      ssc.kafka.createDirectStream(LocationStrategies.PreferConsistent, undefined as never);
    });
    await expect(evaluateJob(aimless)).rejects.toThrow('no consumer strategy');
  });

  it('say what was wrong before the job function threw, too', async () => {
    const job = defineJob({ ...config, batches: 0 }, () => {
      throw new Error('boom');
    });
    await expect(evaluateJob(job)).rejects.toMatchObject({
      code: 'JOB_INVALID',
      details: { codes: 'CONFIG_INVALID,JOB_EVALUATION_FAILED' },
    });
  });

  it('make one RDD a batch: transform runs once for two outputs, lambdas are captured each time', async () => {
    let transforms = 0;
    const seen: number[] = [];
    const job = defineJob(config, (ssc) => {
      const stream = ssc.kafka
        .createDirectStream(
          LocationStrategies.PreferConsistent,
          ConsumerStrategies.Subscribe('views', OPTIONS),
        )
        .transform((rdd) => {
          transforms += 1;
          return rdd.map((r) => r.offset);
        });
      stream.foreachRDD((rdd) => void seen.push(rdd.partitions));
      stream.foreachRDD((rdd) => void seen.push(rdd.offsetRanges.length));
    });
    const { context } = await evaluateJob(job);
    const runner = fakeRunner();
    expect(context.internals.graph.finish(runner.ship)).toEqual([]);
    const { outputs } = context.internals.graph.graph;
    const batch = new BatchRdds(
      { time: 1000, ranges: () => [{ topic: 'views', partition: 0, fromOffset: 0, untilOffset: 1 }] },
      runner,
    );
    for (const output of outputs) await output.run(await batch.rdd(output.node), 1000);
    expect(transforms).toBe(1);
    expect(seen).toEqual([1, 1]);
    expect(runner.shipped).toEqual(['map']);
  });

  it('apply what successful tasks added to accumulators', async () => {
    let total = 0;
    const job = defineJob(config, (ssc) => {
      const counter = ssc.accumulator(10);
      const list = ssc.collectionAccumulator<string>();
      ssc.internals.accumulators.apply(
        serialize([
          ['sum:1', 5],
          ['list:1', ['x']],
        ]),
      );
      ssc.internals.accumulators.apply(new Uint8Array());
      total = counter.value + list.value.length;
    });
    await evaluateJob(job);
    expect(total).toBe(16);
  });

  it('refuse to broadcast what is not plain data', async () => {
    const job = defineJob(config, (ssc) => void ssc.broadcast({ db: { query: () => 1 } }));
    await expect(evaluateJob(job)).rejects.toThrow('it.db.query is a function');
  });
});

describe('TaskContext', () => {
  it('answers in a task and in what it awaits, and refuses on the driver', async () => {
    const data = { partitionId: 3 } as TaskContextData;
    await runWithTaskContext(data, async () => {
      await Promise.resolve();
      expect(TaskContext.get().partitionId).toBe(3);
    });
    expect(TaskContext.current()).toBeUndefined();
    expect(() => TaskContext.get()).toThrow(MillraceError);
  });
});
