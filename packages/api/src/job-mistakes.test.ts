import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { AccumulatorRegistry } from './accumulator.ts';
import { canonicalKey } from './canonical-key.ts';
import { defineJob, evaluateJob } from './define-job.ts';
import type { DStream } from './dstream.ts';
import { ConsumerStrategies } from './kafka/consumer-strategies.ts';
import { LocationStrategies } from './kafka/location-strategies.ts';
import type { JobRunner } from './lineage/job-runner.ts';
import { RDD } from './rdd.ts';
import { BatchRdds } from './stream/compute-rdd.ts';
import { StreamingContext } from './streaming-context.ts';
import { encodeAccumulatorUpdates } from './task-accumulator.ts';

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;

function runner(results: readonly unknown[] = [], dropped: string[] = []): JobRunner {
  return {
    run: async () => results.map((result) => serialize(result)),
    ship: () => ({ hash: 'h', bytes: new Uint8Array(), place: 'job.ts:1:1', broadcastIds: [] }),
    broadcast: () => 'hash',
    dropBroadcast: (hash) => void dropped.push(hash),
    release: () => undefined,
    stateOf: () => undefined,
    print: () => undefined,
    notice: () => undefined,
    kafka() {
      throw new Error('not used');
    },
  };
}

function rddOf<T>(...partitions: readonly unknown[]): RDD<T> {
  return new RDD<T>({ kind: 'rows', partitions: partitions.map(() => []) }, runner(partitions));
}

/** What a caller without types writes. */
const untyped = (value: unknown): never => value as never;

async function evaluated(build: (stream: DStream<{ readonly offset: number }>) => void) {
  const job = defineJob({ name: 'j', batchInterval: 100 }, (ssc) =>
    build(
      ssc.kafka.createDirectStream(
        LocationStrategies.PreferConsistent,
        ConsumerStrategies.Subscribe('t', OPTIONS),
      ),
    ),
  );
  return (await evaluateJob(job)).context.internals.graph;
}

describe('mistakes of a job', () => {
  it('are found while it is built: what is no function, wrong numbers', async () => {
    const graph = await evaluated((stream) => {
      stream.transform(untyped(5));
      stream.mapPartitions(untyped(undefined));
      stream.mapAsync(untyped('f'));
      stream.map(untyped(null));
      stream.sample(false, 0.5, 1.5);
      stream.print(-1);
      stream.foreachRDD(untyped({}));
    });
    const problems = graph.finish(runner().ship);
    expect(problems.map(({ what }) => what)).toEqual([
      'transform() needs a function, got number',
      'mapPartitions() needs a function, got undefined',
      'mapAsync() needs a function, got string',
      'map() needs a function, got null',
      'sample: seed cannot be 1.5',
      'print: n cannot be -1',
      'foreachRDD() needs a function, got object',
    ]);
  });

  it.each([
    ['nothing', () => undefined],
    ['a stream', (_rdd: unknown, stream: unknown) => stream],
  ])('a transform that returns %s is told so', async (_what, made) => {
    const graph = await evaluated((stream) =>
      stream.transform<number>((rdd) => untyped(made(rdd, stream))).foreachRDD(() => undefined),
    );
    const rdds = new BatchRdds({ graph: graph.graph, runner: runner() });
    rdds.begin({ time: 0, previous: undefined, ranges: () => [] });
    const node = graph.graph.outputs[0]?.node;
    await expect(rdds.rdd(untyped(node))).rejects.toMatchObject({
      code: 'JOB_INVALID',
      what: expect.stringMatching(/transform\(\) at .* returned no RDD/),
    });
  });

  it('RDD functions that are none, or that merge with a Promise, are refused', async () => {
    const rdd = rddOf<number>(1, 2);
    expect(() => rdd.mapPartitions(untyped(5))).toThrow('mapPartitions() needs a function, got number');
    await expect(rdd.foreachPartition(untyped(undefined))).rejects.toMatchObject({ code: 'JOB_INVALID' });
    const add = (a: number, b: number): number => a + b;
    await expect(rdd.aggregate(0, add, untyped(undefined))).rejects.toThrow('aggregate() needs a function');
    const later = untyped((a: number, b: number) => Promise.resolve(a + b));
    await expect(rdd.aggregate(0, add, later)).rejects.toMatchObject({ code: 'ELEMENT_PROMISE' });
    await expect(rdd.fold(0, later)).rejects.toMatchObject({ code: 'ELEMENT_PROMISE' });
  });
});

describe('what many rows do', () => {
  const many = Array.from({ length: 300_000 }, (_, i) => i);

  it('take and collection accumulators are not bounded by the stack', async () => {
    expect(await rddOf<number>(many).take(250_000)).toHaveLength(250_000);
    const registry = new AccumulatorRegistry();
    const list = registry.list<number>('many');
    registry.apply(encodeAccumulatorUpdates(new Map([['list:1', many]])));
    expect(list.value).toHaveLength(300_000);
  });
});

describe('shared values', () => {
  it('an accumulator adds numbers only, also on the driver', () => {
    const registry = new AccumulatorRegistry();
    expect(() => registry.number('a', 0).add(untyped('1'))).toThrow('adds numbers, got string');
    expect(() => registry.number('b', untyped('0'))).toThrow('adds numbers, got string');
  });

  it('a broadcast outlives another one with the same content', () => {
    const dropped: string[] = [];
    const ssc = new StreamingContext({ name: 'j', batchIntervalMs: 100 });
    ssc.internals.attach(runner([], dropped));
    const first = ssc.broadcast([1]);
    const second = ssc.broadcast([1]);
    first.destroy();
    first.destroy();
    expect([dropped, second.value]).toEqual([[], [1]]);
    second.destroy();
    expect(dropped).toEqual([second.id]);
  });

  it('the zero of a fold is taken when it is given, and stays what it is', async () => {
    const zero = Buffer.from('z');
    const folding = rddOf<Buffer>(Buffer.from('a')).fold(zero, (a, b) => Buffer.concat([a, b]));
    zero.fill('x');
    expect((await folding).toString()).toBe('za');
    const nothing = await new RDD<Buffer>({ kind: 'rows', partitions: [] }, runner()).fold(zero, (a) => a);
    expect(Buffer.isBuffer(nothing)).toBe(true);
  });

  it('keys with holes are not mistaken for others', () => {
    const hole: unknown[] = [];
    hole.length = 1;
    expect(canonicalKey([hole, 'x'])).not.toBe(canonicalKey([['x'], ...hole]));
    expect(canonicalKey(hole)).toBe(canonicalKey([undefined]));
    expect(() => canonicalKey([Symbol('s')])).toThrow(MillraceError);
  });
});
