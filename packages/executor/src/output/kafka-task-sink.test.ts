import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import { decodeResult, KAFKA_WRITE_PARTS, type KafkaWriteSettings } from '@millrace/api/internal';
import { MillraceError, systemClock } from '@millrace/common';
import type { KafkaClient, RecordStream } from '@millrace/kafka';
import { runPipeline } from '../pipeline/index.ts';
import { columns, op, RANGE, stream } from '../pipeline/testing/pipeline-setup.ts';
import { sinkOpener } from './index.ts';
import { ProducerCache } from './producer-cache.ts';

type Appended = Parameters<RecordStream['append']>;
type Parts = Partial<Record<(typeof KAFKA_WRITE_PARTS)[number], Function>>;

class FakeStream {
  isFull = false;
  readonly appended: Appended[] = [];
  readonly readyAt: number[] = [];
  end: 'open' | 'finished' | 'aborted' = 'open';
  readonly fullEvery: number;

  constructor(fullEvery: number) {
    this.fullEvery = fullEvery;
  }

  get records(): number {
    return this.appended.length;
  }

  append(...[topic, key, value, ...rest]: Appended): void {
    const copied = (part: Appended[1]): Appended[1] =>
      Buffer.isBuffer(part) ? `raw ${part.toString()}` : part;
    this.appended.push([topic, copied(key), copied(value), ...rest]);
    if (this.appended.length % this.fullEvery === 0) this.isFull = true;
  }

  async ready(): Promise<void> {
    this.readyAt.push(this.appended.length);
    this.isFull = false;
  }

  async finish(): Promise<void> {
    this.end = 'finished';
  }

  async abort(): Promise<void> {
    this.end = 'aborted';
  }
}

const SETTINGS: KafkaWriteSettings = {
  clientJson: '{}',
  topic: 'out',
  keyCodec: 'auto',
  valueCodec: 'auto',
  isKeyed: false,
  deliveryTimeoutMs: 1000,
  retries: undefined,
  lingerMs: undefined,
  bufferBytesMax: 1000,
};

interface Given {
  readonly rows?: readonly unknown[];
  readonly parts?: Parts;
  readonly settings?: Partial<KafkaWriteSettings>;
  readonly operators?: ReturnType<typeof op>[];
  readonly fullEvery?: number;
}

/** Runs a task that writes rows (absent: four Kafka records), with these lambdas. */
async function write({ rows, parts = {}, settings = {}, operators = [], fullEvery = Infinity }: Given) {
  const fake = new FakeStream(fullEvery);
  const client = { producer: () => ({ stream: () => fake }), close: async () => {} };
  const producers = new ProducerCache({
    connect: () => client as unknown as KafkaClient,
    clock: systemClock,
  });
  const functions: Function[] = [];
  const numbers = KAFKA_WRITE_PARTS.map((part) => {
    const f = parts[part];
    return f === undefined ? 0 : functions.push(f);
  });
  const codec = { name: 'utf8', nullable: false } as const;
  const source = rows
    ? ({ kind: 'rows' } as const)
    : ({
        kind: 'kafka',
        kafka: { clientJson: '{}', groupId: 'g', isolation: 'read_committed', key: codec, value: codec },
      } as const);
  const pipeline = { source, operators: operators.map(({ message }) => message) };
  const action = {
    kind: 'kafkaWrite',
    closures: functions.map(() => ({ hash: '', place: '' })),
    numbers,
    value: serialize({ ...SETTINGS, ...settings }),
    place: 'job.ts:9:9',
  };
  const running = runPipeline({
    stage: { pipelines: [pipeline], action, ranges: [], batchIntervalMs: 1000 },
    pipeline,
    input: rows ?? stream(columns(['a', null, 'c']), columns(['d'], 3)),
    range: RANGE,
    functions: { operators: operators.map((operator) => operator.functions), action: functions },
    task: {
      application: 'a',
      epoch: 1,
      batchTime: 1,
      partitionId: 3,
      accumulators: new Map(),
    } as unknown as Parameters<typeof runPipeline>[0]['task'],
    signal: new AbortController().signal,
    openSink: sinkOpener(producers),
  });
  const outcome = await running.then(
    ({ result }) => ({ records: decodeResult(result), error: undefined }),
    (error: unknown) => ({
      records: undefined,
      error: MillraceError.is(error) ? error : new Error(`not coded: ${String(error)}`),
    }),
  );
  return { ...outcome, fake, sent: fake.appended };
}

const parts = (sent: readonly Appended[]) => sent.map(([, key, value]) => [key, value]);

describe('a Kafka sink', () => {
  it('takes { key, value }, pairs, and values alone, without lambdas', async () => {
    const rows = [
      { key: 'k', value: 'v' },
      ['a', 'b'],
      'text',
      7,
      true,
      { value: { n: 1 } },
      { key: 5, value: null },
    ];
    const { records, sent, fake } = await write({ rows });
    expect(parts(sent)).toEqual([
      ['k', 'v'],
      ['a', 'b'],
      [null, 'text'],
      [null, '7'],
      [null, 'true'],
      [null, '{"n":1}'],
      ['5', null],
    ]);
    expect({ records, end: fake.end }).toEqual({ records: 7, end: 'finished' });
  });

  it('copies records as they were read, tombstones too, without decoding them', async () => {
    const { sent } = await write({});
    expect(parts(sent)).toEqual([
      ['raw k0', 'raw a'],
      ['raw k1', null],
      ['raw k2', 'raw c'],
      ['raw k3', 'raw d'],
    ]);
  });

  it('asks its lambdas for every part, and reads the row for the rest', async () => {
    const { sent } = await write({
      rows: [
        { key: 'k', id: 1 },
        { key: 'l', id: 2 },
      ],
      parts: {
        topic: (row: { id: number }) => `out-${row.id}`,
        value: (row: object) => row,
        partition: (row: { id: number }) => (row.id === 1 ? 4 : undefined),
        timestamp: (row: { id: number }) => (row.id === 1 ? new Date(5) : 6),
        headers: (row: { id: number }) => (row.id === 1 ? { a: 'b' } : [['c', null]]),
      },
    });
    expect(sent).toEqual([
      ['out-1', 'k', '{"key":"k","id":1}', 4, 5, [['a', 'b']]],
      ['out-2', 'l', '{"key":"l","id":2}', undefined, 6, [['c', null]]],
    ]);
  });

  it('writes what the function of writeToKafka makes, and wants keys when it was asked to', async () => {
    const record = (row: string) => ({ topic: `t-${row}`, key: row === 'x' ? undefined : row, value: row });
    const { sent } = await write({ rows: ['a', 'x'], parts: { record } });
    expect(sent.map(([topic, key, value]) => [topic, key, value])).toEqual([
      ['t-a', 'a', 'a'],
      ['t-x', null, 'x'],
    ]);
    const { error } = await write({ rows: ['a', 'x'], parts: { record }, settings: { isKeyed: true } });
    expect(error).toMatchObject({ code: 'VALUE_ENCODE', details: { place: 'job.ts:9:9' } });
  });

  it('encodes with the codec that it was given', async () => {
    const settings = { keyCodec: 'json', valueCodec: 'custom' } as const;
    const valueEncode = (value: number) => new Uint8Array([value]);
    const { sent } = await write({
      rows: [
        ['k', 1],
        [null, null],
      ],
      settings,
      parts: { valueEncode },
    });
    expect(sent.map(([, key, value]) => [key, value])).toEqual([
      ['"k"', new Uint8Array([1])],
      [null, null],
    ]);
  });

  it.each<[string, Given, string]>([
    ['a row of no shape', { rows: [{ user: 'u' }] }, 'VALUE_ENCODE'],
    ['no value', { rows: [['k', undefined]] }, 'VALUE_ENCODE'],
    ['an undefined row', { rows: [undefined] }, 'VALUE_ENCODE'],
    ['a Map as value', { rows: [['k', new Map()]] }, 'VALUE_ENCODE'],
    ['a bigint as value', { rows: [['k', 1n]] }, 'VALUE_ENCODE'],
    ['an object for utf8()', { rows: [['k', {}]], settings: { valueCodec: 'utf8' } }, 'VALUE_ENCODE'],
    ['text for bytes()', { rows: [['k', 'v']], settings: { valueCodec: 'bytes' } }, 'VALUE_ENCODE'],
    ['a promise as value', { rows: ['v'], parts: { value: async () => 'v' } }, 'ELEMENT_PROMISE'],
    ['a promise as topic', { rows: ['v'], parts: { topic: async () => 'v' } }, 'ELEMENT_PROMISE'],
    [
      'a promise as record',
      { rows: ['v'], parts: { record: async () => ({ topic: 't', value: 'v' }) } },
      'ELEMENT_PROMISE',
    ],
    ['a topic that is none', { rows: ['v'], parts: { topic: () => 5 } }, 'VALUE_ENCODE'],
    [
      'a record without a topic',
      { rows: ['v'], parts: { record: (value: string) => ({ value }) }, settings: { topic: undefined } },
      'VALUE_ENCODE',
    ],
    ['half a partition', { rows: ['v'], parts: { partition: () => 1.5 } }, 'VALUE_ENCODE'],
    ['a timestamp that is none', { rows: ['v'], parts: { timestamp: () => Number.NaN } }, 'VALUE_ENCODE'],
    ['headers that are none', { rows: ['v'], parts: { headers: () => ({ a: 1 }) } }, 'VALUE_ENCODE'],
    ['no record', { rows: ['v'], parts: { record: () => null } }, 'VALUE_ENCODE'],
  ])('refuses %s, and stops', async (_name, given, code) => {
    const { error, fake } = await write(given);
    expect(error).toMatchObject({ code });
    expect(fake.end).toBe('aborted');
  });

  it('says at which record a lambda threw', async () => {
    const value = ({ offset }: { offset: number }): string => {
      if (offset === 14) throw new RangeError('no');
      return 'v';
    };
    const { error } = await write({ parts: { value } });
    expect(error).toMatchObject({ code: 'USER_CODE', details: { topic: 'views', partition: 3, offset: 14 } });
  });

  it('pauses behind the row that made it full, and goes on with the next', async () => {
    const rows = Array.from({ length: 10 }, (_, i) => `v${i}`);
    const twice = op('flatMap', [(row: string) => [row, row.toUpperCase()]]);
    const { sent, fake } = await write({ rows, operators: [twice], fullEvery: 3 });
    expect(sent.map(([, , value]) => value)).toEqual(rows.flatMap((row) => [row, row.toUpperCase()]));
    // Full at 3, 6, …: both rows of the one that filled it are written first.
    expect(fake.readyAt).toEqual([4, 6, 10, 12, 16, 18]);
  });
});
