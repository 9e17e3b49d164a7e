// Records that do not decode, and the topic that they go to: what is in it, and how often.
import { describe, expect, it } from '@jest/globals';
import {
  bytes,
  type Codec,
  ConsumerStrategies,
  type DirectStream,
  defineJob,
  json,
  LocationStrategies,
  type OnDecodeError,
  type StreamingContext,
} from '@millrace/api';
import type { MillraceError } from '@millrace/common';
import { topicPartitionKey } from '@millrace/kafka';
import { embed } from '@millrace/local';
import { useDevBroker } from '../support/use-dev-broker.ts';

const kafka = useDevBroker();
let topics = 0;

interface Letter {
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
  readonly headers: ReadonlyArray<readonly [string, string]>;
}

async function lettersOf(topic: string): Promise<readonly Letter[]> {
  const tp = { topic, partition: 0 };
  const end = (await kafka.client.listOffsets([tp], 'latest')).get(topicPartitionKey(tp));
  const letters: Letter[] = [];
  const reader = kafka.client.reader(tp);
  for await (const columns of reader.read({ ...tp, fromOffset: 0, untilOffset: end?.offset ?? 0 }))
    for (let i = 0; i < columns.n; i++)
      letters.push({
        key: columns.keyString(i),
        value: columns.valueString(i),
        timestamp: columns.timestamp[i] as number,
        headers: columns.headers(i).map(([name, value]) => [name, String(value)]),
      });
  await reader.close();
  return letters;
}

const of = ({ headers }: Letter, name: string): string | undefined =>
  headers.findLast(([each]) => each === `millrace.${name}`)?.[1];

interface Given {
  readonly values?: readonly (string | null)[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly onDecodeError?: (topic: string, dead: string) => OnDecodeError;
  readonly batches?: number;
}

type Numbers = DirectStream<string | null, number>;

const VALUES = ['1', '{"broken', '3', 'nonsense', '5'];

/** Runs a job over one partition; { in, dead, letters, counts, notices, error }. */
async function run(
  build: (numbers: Numbers, ssc: StreamingContext, topic: string, dead: string) => void,
  { values = VALUES, options = {}, config = {}, onDecodeError, batches = 1 }: Given = {},
) {
  const [topic, dead] = [`dead-in-${topics}`, `dead-out-${topics++}`];
  kafka.broker.createTopic(topic, { partitions: 1 });
  kafka.broker.createTopic(dead, { partitions: 1 });
  await kafka.client.producer().send(
    topic,
    values.map((value, i) => ({
      key: `k${i}`,
      value,
      timestamp: 1_700_000_000_000 + i,
      headers: [['trace', `t${i}`] as const],
    })),
  );
  const job = defineJob({ name: 'dead', batchInterval: '20ms', batches, ...config }, (ssc) => {
    const numbers = ssc.kafka.createDirectStream(
      LocationStrategies.PreferConsistent,
      ConsumerStrategies.Subscribe<string | null, number>(topic, {
        brokers: kafka.broker.brokers,
        groupId: 'g',
        startFrom: 'earliest',
        value: json<number>(),
        onDecodeError: onDecodeError?.(topic, dead) ?? { deadLetterTopic: dead },
        ...options,
      }),
    );
    build(numbers, ssc, topic, dead);
  });
  const counts: Record<string, unknown> = {};
  const notices: string[] = [];
  const application = await embed(job, {
    onEvent: (event) => {
      if (event.kind === 'running') notices.push(...event.notes);
      if (event.kind === 'batch-completed')
        for (const { name, value } of event.batch.accumulators) counts[name] = value;
    },
  });
  const error = await application
    .start()
    .then(() => application.awaitTermination({ timeoutMs: 30_000 }))
    .then(
      () => undefined,
      (thrown: unknown) => thrown as MillraceError,
    );
  return { topic, dead, letters: await lettersOf(dead), counts, notices, error };
}

const sum = (numbers: Numbers, into: number[]): void =>
  numbers
    .map(({ value }) => value)
    .foreachRDD(async (rdd) => {
      into.push(await rdd.fold(0, (a, b) => a + b));
    });

describe('a record that does not decode', () => {
  it('goes to the dead-letter topic as it is, with where it was and why', async () => {
    const sums: number[] = [];
    const { topic, dead, letters, counts, notices, error } = await run((numbers) => sum(numbers, sums));
    expect({ error, sums }).toEqual({ error: undefined, sums: [9] });
    expect(letters.map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
      ['k1', '{"broken', 1_700_000_000_001],
      ['k3', 'nonsense', 1_700_000_000_003],
    ]);
    const [, last] = letters as [Letter, Letter];
    expect(last.headers).toEqual([
      ['trace', 't3'],
      ['millrace.error.code', 'VALUE_DECODE'],
      ['millrace.error.part', 'value'],
      [
        'millrace.error.message',
        expect.stringContaining(`the value at offset 3 of ${topic}-0 does not decode`),
      ],
      ['millrace.application', 'dead'],
      ['millrace.topic', topic],
      ['millrace.partition', '0'],
      ['millrace.offset', '3'],
      ['millrace.timestamp', '1700000000003'],
      ['millrace.batch-time', expect.stringMatching(/^\d{13}$/)],
    ]);
    expect(counts).toEqual({ [`dead letters (topics ${topic})`]: 2 });
    expect(notices).toContain(`dead letters of topics ${topic} to topic "${dead}": at-least-once`);
  });

  it('may be a tombstone, or one whose key does not decode', async () => {
    const key: Codec<string> = {
      decode: (raw) => {
        if (raw.at(-1) === 0x31) throw new RangeError('a key ends in 1');
        return String(raw);
      },
      encode: (text) => Buffer.from(text),
    };
    const sums: number[] = [];
    const { letters } = await run((numbers) => sum(numbers, sums), {
      values: ['1', '2', null, '4'],
      options: { key },
    });
    expect(sums).toEqual([5]);
    expect(letters.map((each) => [each.value, of(each, 'error.part'), of(each, 'offset')])).toEqual([
      ['2', 'key', '1'],
      [null, 'value', '2'],
    ]);
  });

  it('is written once, however many outputs, actions and windows read it', async () => {
    const sums: number[] = [];
    const { letters, counts, topic } = await run(
      (numbers) => {
        sum(numbers, sums);
        sum(numbers, sums);
        numbers.foreachRDD(async (rdd) => {
          await rdd.count();
          await rdd.count();
        });
        numbers
          .map(({ value }) => value)
          .window('100ms', '20ms')
          .foreachRDD(async (rdd) => void (await rdd.count()));
      },
      { batches: 4, options: { maxRecordsPerBatch: 2 } },
    );
    expect(sums.reduce((a, b) => a + b, 0)).toBe(2 * 9);
    expect(letters.map((each) => of(each, 'offset'))).toEqual(['1', '3']);
    expect(counts).toEqual({ [`dead letters (topics ${topic})`]: 2 });
  });

  it('is written by the window that is the first to read its batch', async () => {
    const seen: number[] = [];
    const { letters } = await run(
      (numbers) =>
        numbers
          .map(({ value }) => value)
          .window('80ms', '80ms')
          .foreachRDD(async (rdd) => void seen.push(await rdd.count())),
      { batches: 12, options: { maxRecordsPerBatch: 1 } },
    );
    expect(seen.reduce((a, b) => a + b, 0)).toBe(3);
    expect(letters.map((each) => of(each, 'offset'))).toEqual(['1', '3']);
  });

  it('that an action has not come to is written by one that reads on', async () => {
    const { letters } = await run((numbers) => {
      numbers.foreachRDD(async (rdd) => void (await rdd.take(2)));
      numbers.foreachRDD(async (rdd) => void (await rdd.take(1)));
      sum(numbers, []);
    });
    expect(letters.map((each) => of(each, 'offset'))).toEqual(['1', '3']);
  });

  it('is written by a task that reads several partitions, one after the other', async () => {
    const { letters } = await run((numbers) => {
      const values = numbers.map(({ value }) => value);
      const both = values.transform((rdd) =>
        rdd
          .filter((n) => n > 2)
          .union(rdd.filter((n) => n < 2))
          .coalesce(1),
      );
      both.foreachRDD(async (rdd) => void (await rdd.count()));
    });
    expect(letters.map((each) => of(each, 'offset'))).toEqual(['1', '3']);
  });

  it('is written when rows move behind it, and again when its task is tried again', async () => {
    const tries: number[] = [];
    const shuffled = await run((numbers) =>
      numbers
        .map(({ value }): [number, number] => [value % 2, value])
        .reduceByKey((a, b) => a + b)
        .foreachRDD(async (rdd) => void tries.push((await rdd.collect()).length)),
    );
    expect([tries, shuffled.letters.length]).toEqual([[1], 2]);
    let attempts = 0;
    const again = await run((numbers) =>
      numbers.foreachRDD(async (rdd) =>
        rdd.foreachPartition(async (rows) => {
          await rows.toArray();
          if (attempts++ === 0) throw new Error('once');
        }),
      ),
    );
    expect(again.error).toBeUndefined();
    // At least once; it is counted when its task succeeds.
    expect(again.letters.length).toBeGreaterThanOrEqual(2);
    expect(new Set(again.letters.map((each) => of(each, 'offset')))).toEqual(new Set(['1', '3']));
    expect(Object.values(again.counts)).toEqual([2]);
  });

  it('of createRDD goes there, too: once an RDD', async () => {
    const { letters, error } = await run(
      (numbers, ssc, topic, dead) =>
        numbers.foreachRDD(async () => {
          const range = { topic, partition: 0, fromOffset: 0, untilOffset: 2 };
          const options = {
            brokers: kafka.broker.brokers,
            value: json<number>(),
            onDecodeError: { deadLetterTopic: dead },
          };
          const rdd = await ssc.kafka.createRDD(options, [range]);
          await rdd.count();
          await rdd.count();
          await expect(
            ssc.kafka.createRDD({ ...options, onDecodeError: { deadLetterTopic: topic } }, [range]),
          ).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
          await expect(
            ssc.kafka.createRDD({ ...options, onDecodeError: { deadLetterTopic: 'nowhere' } }, [range]),
          ).rejects.toMatchObject({ code: 'UNKNOWN_TOPIC' });
        }),
      { onDecodeError: () => 'skip' },
    );
    expect(error).toBeUndefined();
    expect(letters.map((each) => of(each, 'offset'))).toEqual(['1']);
  });

  it('may come by the ten thousand', async () => {
    const values = Array.from({ length: 20_000 }, (_, i) =>
      i % 2 === 0 ? '1' : `broken ${i} ${'x'.repeat(1000)}`,
    );
    const sums: number[] = [];
    const { letters, error } = await run((numbers) => sum(numbers, sums), { values });
    expect({ error, sums }).toEqual({ error: undefined, sums: [10_000] });
    expect(letters.map(({ value }) => value)).toEqual(values.filter((value) => value !== '1'));
    expect(letters.every((each) => values[Number(of(each, 'offset'))] === each.value)).toBe(true);
    expect(letters.at(-1)?.headers[0]).toEqual(['trace', 't19999']);
  });
});

describe('what cannot be written fails the task, and nothing is lost:', () => {
  it('a record that is larger than the client or the topic takes', async () => {
    const large = `{"${'x'.repeat(40_000)}`;
    const small = await run((numbers) => sum(numbers, []), {
      values: ['1', large],
      options: { produceBatchBytesMax: 20_000 },
    });
    expect(small.error).toMatchObject({
      code: 'RECORD_TOO_LARGE',
      remedy: expect.stringContaining('max.message.bytes'),
      what: expect.stringContaining(`the largest is of 40004 bytes, at offset 1 of ${small.topic}-0`),
    });
    await kafka.client.createTopic('dead-small', { partitions: 1, config: { 'max.message.bytes': '20000' } });
    const refused = await run((numbers) => sum(numbers, []), {
      values: ['1', large],
      onDecodeError: () => ({ deadLetterTopic: 'dead-small' }),
    });
    expect(refused.error).toMatchObject({ code: 'RECORD_TOO_LARGE', details: { topic: 'dead-small' } });
  });

  it('a topic that does not exist, or is read by the stream, is refused at the start', async () => {
    const nowhere = await run((numbers) => sum(numbers, []), {
      onDecodeError: () => ({ deadLetterTopic: 'nowhere' }),
    });
    expect(nowhere.error).toMatchObject({
      code: 'UNKNOWN_TOPIC',
      what: 'the dead-letter topic "nowhere" does not exist',
    });
    const itself = await run((numbers) => sum(numbers, []), {
      onDecodeError: (topic) => ({ deadLetterTopic: topic }),
    });
    expect(itself.error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(itself.letters).toEqual([]);
  });

  it('a topic that is gone', async () => {
    const { error } = await run(
      (numbers, _ssc, _topic, dead) => {
        numbers.foreachRDD(async (rdd) => {
          await kafka.client.deleteTopic(dead);
          kafka.broker.createTopic(`${dead}-2`, { partitions: 1 });
          try {
            await rdd.count();
          } finally {
            kafka.broker.createTopic(dead, { partitions: 1 });
          }
        });
      },
      { config: { taskAttemptsMax: 1 }, options: { requestTimeoutMs: 1000 } },
    );
    expect(error).toMatchObject({ code: 'UNKNOWN_TOPIC' });
  });

  it('with bytes() nothing is undecodable', async () => {
    const { letters, error } = await run((numbers) => sum(numbers, []), { options: { value: bytes() } });
    expect({ error, letters }).toEqual({ error: undefined, letters: [] });
  });
});
