import { deserialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { KAFKA_WRITE_PARTS } from '../actions/kafka-write.ts';
import type { DStream } from '../dstream.ts';
import { bytes, json, nullable, utf8 } from '../kafka/codec.ts';
import { ConsumerStrategies } from '../kafka/consumer-strategies.ts';
import { LocationStrategies } from '../kafka/location-strategies.ts';
import { RDD } from '../rdd.ts';
import { BatchRdds } from '../stream/compute-rdd.ts';
import { describeOutput } from '../stream/stream-node.ts';
import { StreamingContext } from '../streaming-context.ts';
import { referenceRunner } from '../testing/reference-runner.ts';
import { type FileSettings, fileSettings } from './file-sink.ts';
import {
  type KafkaSinkOptions,
  type KafkaWriteSettings,
  toKafkaCall,
  writeToKafkaCall,
} from './kafka-sink.ts';

const BROKERS = { brokers: 'localhost:9092' };

function problemOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return MillraceError.is(error) ? `${error.code}: ${error.what}` : `not coded: ${String(error)}`;
  }
  return 'nothing thrown';
}

function settingsOf(options: KafkaSinkOptions<never>): KafkaWriteSettings {
  return deserialize(toKafkaCall('t', options).value) as KafkaWriteSettings;
}

function stream(): { readonly ssc: StreamingContext; readonly rows: DStream<string> } {
  const ssc = new StreamingContext({ name: 'job', batchIntervalMs: 1000 });
  const options = { ...BROKERS, groupId: 'g', startFrom: 'earliest' } as const;
  const records = ssc.kafka.createDirectStream(
    LocationStrategies.PreferConsistent,
    ConsumerStrategies.Subscribe('in', options),
  );
  return { ssc, rows: records.map((record) => record.value) };
}

describe('options of toKafka', () => {
  it('travel as data; lambdas are found by their part', () => {
    const key = (row: string): string => row;
    const { functions, numbers, value } = toKafkaCall('t', {
      ...BROKERS,
      key,
      valueCodec: { encode: (text: string) => Buffer.from(text) },
      acks: 'all',
      compression: 'zstd',
      retries: 3,
      deliveryTimeoutMs: 5000,
      lingerMs: 10,
    });
    const part = (name: (typeof KAFKA_WRITE_PARTS)[number]): Function | undefined =>
      functions[(numbers[KAFKA_WRITE_PARTS.indexOf(name)] ?? 0) - 1];
    expect(part('key')).toBe(key);
    expect(part('value')).toBeUndefined();
    expect(String(part('valueEncode')?.('x'))).toBe('x');
    const settings = deserialize(value) as KafkaWriteSettings;
    expect(settings).toMatchObject({
      topic: 't',
      retries: 3,
      lingerMs: 10,
      deliveryTimeoutMs: 5000,
      keyCodec: 'auto',
      valueCodec: 'custom',
      isKeyed: false,
    });
    expect(JSON.parse(settings.clientJson)).toMatchObject({ acks: -1, compression: 'zstd' });
  });

  it('know the codecs of streams', () => {
    expect(settingsOf({ ...BROKERS, keyCodec: utf8(), valueCodec: json() })).toMatchObject({
      keyCodec: 'utf8',
      valueCodec: 'json',
    });
    expect(settingsOf({ ...BROKERS, keyCodec: nullable(bytes()) }).keyCodec).toBe('bytes');
  });

  it.each<[object, string]>([
    [{}, 'brokers'],
    [{ ...BROKERS, bufferByteMax: 5 }, 'did you mean "bufferBytesMax"?'],
    [{ 'bootstrap.servers': 'h:1' }, '"bootstrap.servers" is called "brokers" here'],
    [{ ...BROKERS, 'linger.ms': 5 }, '"linger.ms" is called "lingerMs" here'],
    [{ ...BROKERS, 'serializer.class': 'x' }, '"serializer.class" is called "valueCodec" here'],
    [{ ...BROKERS, acks: 2 }, 'acks'],
    [{ ...BROKERS, compression: 'brotli' }, 'compression'],
    [{ ...BROKERS, keyCodec: 'utf8' }, 'keyCodec: expected utf8()'],
    [{ ...BROKERS, key: 'k' }, 'key() needs a function'],
    [{ ...BROKERS, value: async () => 'v' }, 'returned a Promise'],
    [{ ...BROKERS, retries: -1 }, 'retries'],
  ])('%j is refused', (options, problem) => {
    expect(problemOf(() => toKafkaCall('t', options as KafkaSinkOptions<never>))).toContain(problem);
  });

  it.each([['', 'a b', 'x'.repeat(250), '..', 5, undefined]])('the topic %j is refused', (topic) => {
    expect(problemOf(() => toKafkaCall(topic, BROKERS))).toContain('no name of a topic');
  });

  it('writeToKafka needs a function', () => {
    expect(problemOf(() => writeToKafkaCall(BROKERS, 't', true))).toContain(
      'writeWithKeysToKafka() needs a function',
    );
  });
});

describe('an exactly-once output', () => {
  const ONCE = { ...BROKERS, guarantee: 'exactly-once' } as const;

  it('is named as its topic, or as it is told', () => {
    expect(toKafkaCall('counts', ONCE).exactlyOnce).toMatchObject({
      name: 'counts',
      transactionalIdPrefix: 'millrace',
      deliveryTimeoutMs: 120_000,
    });
    const own = { ...ONCE, name: 'mine', transactionalIdPrefix: 'team/a' };
    expect(toKafkaCall('counts', own).exactlyOnce).toMatchObject({
      name: 'mine',
      transactionalIdPrefix: 'team/a',
    });
    expect(toKafkaCall('counts', BROKERS).exactlyOnce).toBeUndefined();
  });

  it('tells its tasks what they need for their transactions, and nothing else', () => {
    const transaction = { prefix: 'millrace/job/counts', planHash: 'h', log: 'l', after: 0, timeoutMs: 1000 };
    const settings = deserialize(toKafkaCall('counts', ONCE, transaction).value) as object;
    expect(settings).toMatchObject({ transaction });
    expect(Object.keys(settings)).not.toContain('guarantee');
  });

  it.each<[object, string]>([
    [{ acks: 1 }, 'needs acks -1 and idempotent true'],
    [{ idempotent: false }, 'needs acks -1 and idempotent true'],
    [{ name: 'a/b' }, '"name": expected a text like'],
    [{ guarantee: 'at-most-once' }, '"guarantee": expected one of'],
    [{ 'transactional.id': 'x' }, '"transactional.id" is called "transactionalIdPrefix" here'],
    [{ guarantee: 'at-least-once', name: 'x' }, "name is an option of guarantee 'exactly-once'"],
  ])('with %j is refused', (options, problem) => {
    const given = { ...ONCE, ...options } as KafkaSinkOptions<never>;
    expect(problemOf(() => toKafkaCall('t', given))).toContain(problem);
  });

  it('needs a name when its rows say the topic', () => {
    expect(problemOf(() => toKafkaCall(() => 't', ONCE))).toContain('needs a name');
    expect(problemOf(() => writeToKafkaCall(ONCE, () => ({ topic: 't', value: 'v' }), false))).toContain(
      'needs a name',
    );
  });

  it('is alone with its name', () => {
    const { ssc, rows } = stream();
    rows.toKafka('counts', ONCE);
    rows.toKafka('counts', BROKERS);
    rows.toKafka('counts', ONCE);
    rows.toKafka('counts', { ...ONCE, name: 'more' });
    const problems = ssc.internals.graph.problems.map(({ what }) => what);
    expect(problems).toEqual(['there is an exactly-once output named "counts" already']);
    expect(describeOutput(ssc.internals.graph.graph.outputs[0] as never)).toBe(
      'output toKafka#0 to topic "counts": exactly-once',
    );
  });

  it('is one of a stream, not of an RDD', async () => {
    const rdd = new RDD<string>({ kind: 'rows', partitions: [['a']] }, referenceRunner());
    await expect(rdd.toKafka('counts', ONCE)).rejects.toMatchObject({
      code: 'JOB_INVALID',
      remedy: expect.stringContaining('transform'),
    });
  });
});

describe('outputs of a stream', () => {
  it('say where rows go, and what is promised', () => {
    const { ssc, rows } = stream();
    rows.print();
    rows.toKafka('counts', BROKERS);
    rows.toKafka((row) => row, BROKERS);
    rows.writeToKafka(BROKERS, (row) => ({ topic: 't', value: row }));
    rows.writeWithKeysToKafka(BROKERS, (row) => ({ topic: 't', key: row, value: row }));
    rows.saveAsTextFiles('/data/rows');
    rows.foreachRDD(() => undefined);
    rows.writeTo({
      guarantee: 'exactly-once',
      name: 'orders',
      describe: () => 'the table "orders"',
      write: () => undefined,
    });
    expect(ssc.internals.graph.graph.outputs.map(describeOutput)).toEqual([
      'output print#0: at-least-once',
      'output toKafka#1 to topic "counts": at-least-once',
      'output toKafka#2 to topics of its rows: at-least-once',
      'output writeToKafka#3 to topics of its rows: at-least-once',
      'output writeWithKeysToKafka#4 to topics of its rows: at-least-once',
      'output saveAsTextFiles#5 to files /data/rows-…: exactly-once',
      'output foreachRDD#6: its function runs at least once',
      'output orders#7 to the table "orders": exactly-once',
    ]);
    expect(ssc.internals.graph.problems).toEqual([]);
  });

  it('collect what is wrong with them', () => {
    const { ssc, rows } = stream();
    rows.toKafka('', BROKERS);
    rows.toKafka('t', { brokers: '', acks: 1 });
    rows.saveAsTextFiles('');
    rows.saveAsJsonFiles('/data', 'x', { compression: 'zip' as 'gzip' });
    rows.writeTo({ write: () => undefined } as unknown as Parameters<typeof rows.writeTo>[0]);
    rows.writeTo(undefined as unknown as Parameters<typeof rows.writeTo>[0]);
    expect(ssc.internals.graph.problems.map(({ code }) => code)).toEqual([
      'JOB_INVALID',
      'CONFIG_INVALID',
      'JOB_INVALID',
      'CONFIG_INVALID',
      'JOB_INVALID',
      'JOB_INVALID',
    ]);
  });

  it('write files apart, under a hash of what the batch reads, and make a directory of those that count', async () => {
    const { ssc, rows } = stream();
    rows.print();
    rows.saveAsJsonFiles('/data/rows', 'jsonl', { compression: 'gzip' });
    const runner = referenceRunner();
    ssc.internals.attach(runner);
    const { graph } = ssc.internals;
    const rdds = new BatchRdds({ graph: graph.graph, runner });
    graph.rdds = rdds;
    const hashes = [10, 10, 11].map((untilOffset, index) => {
      const range = { topic: 'in', partition: 0, fromOffset: 5, untilOffset };
      rdds.begin({ time: 5000, previous: index === 0 ? undefined : 5000, ranges: () => [range] });
      return rdds.planHash;
    });
    expect([hashes[0] === hashes[1], hashes[1] === hashes[2]]).toEqual([true, false]);
    await graph.graph.outputs[1]?.run(ssc.parallelize(['a', 'b'], 2), 5000);
    const settings = runner.jobs.map(({ action }) => deserialize(action.value as Uint8Array) as FileSettings);
    const common = {
      directory: '/data/rows-5000.jsonl',
      format: 'json',
      isCompressed: true,
      stage: 'rows-jsonl',
      output: 'saveAsJsonFiles#1',
      planHash: hashes[2],
    };
    expect(runner.jobs.map(({ action }) => action.kind)).toEqual(['fileWrite', 'fileStep']);
    expect(settings).toEqual([common, { ...common, parts: [1, 1] }]);
  });

  it.each(['', '/', '.', '/data/.', 'rows/..'])(
    'of an RDD need a directory with a name: %p has none',
    (given) => {
      expect(() => fileSettings('saveAsTextFile', given, 'text')).toThrow('needs the path of a directory');
    },
  );

  it('of an RDD replace what is there: each call is one of its own', async () => {
    const { ssc } = stream();
    const runner = referenceRunner();
    ssc.internals.attach(runner);
    for (let i = 0; i < 2; i++) await ssc.parallelize(['a'], 1).saveAsTextFile('/data/rows');
    expect(runner.jobs.map(({ action }) => action.kind)).toEqual([
      'fileWrite',
      'fileStep',
      'fileWrite',
      'fileStep',
    ]);
    const settings = runner.jobs.map(({ action }) => deserialize(action.value as Uint8Array) as FileSettings);
    expect(settings.map(({ planHash }) => planHash)).toEqual([undefined, undefined, undefined, undefined]);
    expect(new Set(settings.map(({ call }) => call)).size).toBe(2);
    expect(await ssc.parallelize(['a', 'b', 'c'], 2).toKafka('t', BROKERS)).toBe(3);
  });

  it('write to directories of their own', () => {
    const { ssc, rows } = stream();
    rows.saveAsTextFiles('/data/rows');
    rows.saveAsTextFiles('/data/rows', 'txt');
    rows.saveAsJsonFiles('/data/rows');
    expect(ssc.internals.graph.problems.map(({ code, what }) => `${code}: ${what}`)).toEqual([
      'JOB_INVALID: two outputs write files /data/rows-…',
    ]);
  });
});
