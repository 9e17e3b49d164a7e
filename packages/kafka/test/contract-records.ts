import { describe, expect, it } from '@jest/globals';
import { COMPRESSIONS, type ProduceRecord } from '@millrace/kafka';
import kafkajs from 'kafkajs';
import {
  type ContractKit,
  codeOf,
  KAFKAJS_CODECS,
  numbered,
  type Row,
  readWithKafkajs,
  TIMEOUT_MS,
  values,
} from './contract-kit.ts';

export function recordsContract(kitOf: () => ContractKit): void {
  describe('records', () => {
    const mixed = (seed: number): ProduceRecord[] =>
      Array.from({ length: 200 }, (_, i) => ({
        partition: 0,
        key: i % 3 === 0 ? null : `k${i}`,
        value: i % 7 === 0 ? null : 'é'.repeat(i % 90) + seed,
        headers: i % 5 === 0 ? [] : [['a', `b${i}`]],
        timestamp: 1_700_000_000_000 + (i % 2 === 0 ? i * 10_000_000 : -i * 1000),
      }));
    const rowOf = (r: ProduceRecord, offset: number): Row => [
      offset,
      (r.key as string | null) ?? null,
      r.value as string | null,
      Object.fromEntries((r.headers ?? []) as [string, string][]),
      r.timestamp ?? -1,
    ];

    it(
      'written by kafkajs with every codec are read as its own consumer reads them',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const producer = kit.js.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
        await producer.connect();
        for (const [seed, compression] of KAFKAJS_CODECS.entries()) {
          const messages = mixed(seed).map((r) => ({
            partition: 0,
            key: r.key as string | null,
            value: r.value as string | null,
            headers: Object.fromEntries((r.headers ?? []) as [string, string][]),
            timestamp: String(r.timestamp),
          }));
          await producer.send({ topic, compression, messages });
        }
        await producer.disconnect();
        const expected = await readWithKafkajs(kit.js, topic, 1000);
        const ours = await kit.rowsOf({ topic, partition: 0, fromOffset: 0, untilOffset: 1000 });
        expect(ours).toEqual(expected);
        for (const [from, until] of [
          [10, 20],
          [199, 201],
          [305, 999],
          [600, 600],
        ] as const) {
          const part = await kit.rowsOf({ topic, partition: 0, fromOffset: from, untilOffset: until });
          expect(part).toEqual(expected.slice(from, until));
        }
      },
      TIMEOUT_MS,
    );

    it(
      'written by us with every codec are read by kafkajs and by us, in tiny fetches too',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        let sent: ProduceRecord[] = [];
        for (const compression of COMPRESSIONS) {
          const records = mixed(1);
          const [range] = await kit.kafka.producer().send(topic, records, { compression });
          expect(range).toEqual({ topic, partition: 0, baseOffset: sent.length, records: 200 });
          sent = [...sent, ...records];
        }
        const expected = sent.map(rowOf);
        expect(await readWithKafkajs(kit.js, topic, sent.length)).toEqual(expected);
        const tiny = kit.client({ fetchBytesMax: 1 });
        const range = { topic, partition: 0, fromOffset: 0, untilOffset: sent.length };
        expect(await kit.rowsOf(range, {}, tiny)).toEqual(expected);
        await tiny.close();
      },
      TIMEOUT_MS,
    );

    it(
      'keep their order within a partition when many sends run at the same time',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(2);
        const small = kit.client({ produceBatchRecordsMax: 7 });
        const producer = small.producer();
        const sends = Array.from({ length: 20 }, (_, i) => producer.send(topic, numbered(30, `s${i}-`)));
        await Promise.all(sends);
        const rows = await kit.rowsOf({ topic, partition: 0, fromOffset: 0, untilOffset: 600 });
        const expected = Array.from({ length: 20 }, (_, i) => numbered(30, `s${i}-`).map((r) => r.value));
        expect(values(rows)).toEqual(expected.flat());
        await small.close();
      },
      TIMEOUT_MS,
    );

    it(
      'go where Java and kafkajs put their keys',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(7);
        const producer = kit.js.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
        await producer.connect();
        for (let i = 0; i < 30; i++) {
          const key = `key-é-${i}`;
          const [theirs] = await producer.send({ topic, messages: [{ key, value: 'x' }] });
          const [ours] = await kit.kafka.producer().send(topic, [{ key, value: 'x' }]);
          expect([key, ours?.partition]).toEqual([key, theirs?.partition]);
        }
        await producer.disconnect();
      },
      TIMEOUT_MS,
    );

    it(
      'that are too large for the client or the broker are refused, and nothing hangs',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(1, { 'max.message.bytes': '2000' });
        const producer = kit.kafka.producer();
        expect(await codeOf(producer.send(topic, [{ value: 'x'.repeat(2_000_000) }]))).toBe(
          'RECORD_TOO_LARGE',
        );
        expect(await codeOf(producer.send(topic, [{ value: 'x'.repeat(3000) }]))).toBe('RECORD_TOO_LARGE');
        await producer.send(
          topic,
          Array.from({ length: 50 }, (_, i) => ({ value: `${i}`.padEnd(500, 'x') })),
        );
        expect(await kit.endOf(topic)).toBe(50);
      },
      TIMEOUT_MS,
    );

    it(
      'are sent with acks 0 and 1, and none at all',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const producer = kit.kafka.producer();
        expect(await producer.send(topic, [])).toEqual([]);
        expect(await producer.send(topic, numbered(2), { acks: 1 })).toEqual([
          { topic, partition: 0, baseOffset: 0, records: 2 },
        ]);
        expect(await producer.send(topic, numbered(2), { acks: 0 })).toEqual([
          { topic, partition: 0, baseOffset: -1, records: 2 },
        ]);
        expect(await kit.rowsOf({ topic, partition: 0, fromOffset: 0, untilOffset: 4 })).toHaveLength(4);
        expect(await codeOf(producer.send('no-such-topic', numbered(1)))).toBe('UNKNOWN_TOPIC');
      },
      TIMEOUT_MS,
    );
  });
}
