import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import type { DeadLetterSettings, TaskContextData } from '@millrace/api/internal';
import { MillraceError, systemClock } from '@millrace/common';
import type { KafkaClient, RecordStream } from '@millrace/kafka';
import { columnDecoder, KafkaRow } from '../pipeline/kafka-row.ts';
import { columns, RANGE } from '../pipeline/testing/pipeline-setup.ts';
import { DeadLetters } from './dead-letters.ts';
import { ProducerCache } from './producer-cache.ts';

const UNREADABLE = new MillraceError('VALUE_DECODE', `it is ${'x'.repeat(5000)}`, {
  details: { what: 'value' },
});

function setup(settings: Partial<DeadLetterSettings> = {}) {
  const appended: Parameters<RecordStream['append']>[] = [];
  const stream = {
    isFull: false,
    append: (...record: Parameters<RecordStream['append']>) => appended.push(record),
    ready: async () => undefined,
    finish: async () => undefined,
    abort: async () => undefined,
  };
  const options: unknown[] = [];
  const producer = {
    stream: (given: unknown) => {
      options.push(given);
      return stream;
    },
  };
  const client = { producer: () => producer, close: async () => undefined };
  const connect = () => client as unknown as KafkaClient;
  const task = {
    application: 'a',
    epoch: 1,
    batchTime: 5000,
    partitionId: 2,
    accumulators: new Map(),
    signal: new AbortController().signal,
  } as unknown as TaskContextData;
  const letters = new DeadLetters(task, new ProducerCache({ connect, clock: systemClock }));
  const all: DeadLetterSettings = { topic: 'dead', readId: 'list:1', read: [], ...settings };
  const codec = { name: 'utf8', nullable: true } as const;
  const source = {
    clientJson: '{}',
    groupId: 'g',
    isolation: 'read_committed',
    key: codec,
    value: codec,
    deadLetters: serialize(all),
  } as const;
  return { appended, options, letters, task, reading: letters.reading(source, RANGE) };
}

const decode = columnDecoder('utf8', undefined);
const decoders = { key: decode, keyNullable: true, value: decode, valueNullable: true };
/** Of offset 10 + 2i. */
const row = (index: number, header?: Buffer): KafkaRow => {
  const made = columns(['a', null, 'c']);
  if (header) made.headers = () => [['h', header]];
  made.timestamp[2] = -1;
  return new KafkaRow(made, index, decoders);
};

describe('dead letters of a task', () => {
  it('are written as they were read, acknowledged by all; their headers outlive the fetch', () => {
    const { appended, options, reading } = setup();
    const header = Buffer.from('trace');
    expect(reading.write(row(1, header), UNREADABLE)).toBe(true);
    header.fill(0);
    const [[topic, key, value, partition, timestamp, headers] = []] = appended;
    expect([topic, String(key), value, partition, timestamp]).toEqual(['dead', 'k1', null, undefined, 1001]);
    expect(headers?.map(([name, text]) => [name, String(text).slice(0, 20)])).toEqual([
      ['h', 'trace'],
      ['millrace.error.code', 'VALUE_DECODE'],
      ['millrace.error.part', 'value'],
      ['millrace.error.message', `it is ${'x'.repeat(14)}`],
      ['millrace.application', 'a'],
      ['millrace.topic', 'views'],
      ['millrace.partition', '3'],
      ['millrace.offset', '12'],
      ['millrace.timestamp', '1001'],
      ['millrace.batch-time', '5000'],
    ]);
    expect(String(headers?.[3]?.[1])).toHaveLength(1000);
    expect(options).toMatchObject([{ acks: -1, firstPartition: 2 }]);
  });

  it('without a timestamp have the time at which they are written', () => {
    const { appended, reading } = setup();
    reading.write(row(2), UNREADABLE);
    expect(appended[0]?.[4]).toBeUndefined();
  });

  it('without a timestamp that can be written have it in a header only', () => {
    const { appended, reading } = setup();
    const made = columns(['a']);
    made.timestamp[0] = 1.79e18;
    reading.write(new KafkaRow(made, 0, decoders), UNREADABLE);
    expect(appended[0]?.[4]).toBeUndefined();
    expect(appended[0]?.[5]).toContainEqual(['millrace.timestamp', '1790000000000000000']);
  });

  it('that tasks before have written are not written again', async () => {
    const read = [
      { topic: 'other', partition: 3, fromOffset: 0, untilOffset: 99 },
      { topic: 'views', partition: 3, fromOffset: 10, untilOffset: 13 },
    ];
    const { appended, reading } = setup({ read });
    expect([0, 1, 2].map((index) => reading.write(row(index), UNREADABLE))).toEqual([false, false, true]);
    expect(appended).toHaveLength(1);
  });

  it('tell what was read when all are acknowledged', async () => {
    const { letters, reading, task } = setup();
    reading.readUntil(15);
    reading.readUntil(13);
    expect(task.accumulators.size).toBe(0);
    await letters.finish();
    expect(task.accumulators.get('list:1')).toEqual([
      { topic: 'views', partition: 3, fromOffset: 10, untilOffset: 15 },
    ]);
  });

  it('do not go to the topic that they come from', () => {
    const { reading } = setup({ topic: 'views' });
    expect(() => reading.write(row(0), UNREADABLE)).toThrow('its own dead-letter topic');
  });
});
