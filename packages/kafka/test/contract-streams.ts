import { describe, expect, it } from '@jest/globals';
import { COMPRESSIONS, type RecordStream, type RecordStreamOptions } from '@millrace/kafka';
import { type ContractKit, codeOf, type Row, readWithKafkajs, TIMEOUT_MS, values } from './contract-kit.ts';

const OPTIONS: RecordStreamOptions = {
  deliveryTimeoutMs: 20_000,
  bufferBytesMax: 8 * 1024 * 1024,
  firstPartition: 0,
};

type Sent = readonly [
  key: string | Uint8Array | null,
  value: string | Uint8Array | null,
  rest?: {
    readonly partition?: number;
    readonly timestamp?: number;
    readonly headers?: ReadonlyArray<readonly [string, string | null]>;
  },
];

async function pour(stream: RecordStream, topic: string, records: readonly Sent[]): Promise<void> {
  for (const [key, value, { partition, timestamp, headers = [] } = {}] of records) {
    stream.append(topic, key, value, partition, timestamp, headers);
    if (stream.isFull) await stream.ready();
  }
  await stream.finish();
}

export function streamsContract(kitOf: () => ContractKit): void {
  describe('record streams', () => {
    it(
      'write with every codec what kafkajs and our reader read: texts, bytes, nothing, headers and times',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const expected: Row[] = [];
        for (const compression of COMPRESSIONS) {
          const records: Sent[] = Array.from({ length: 150 }, (_, i) => [
            i % 3 === 0 ? null : i % 3 === 1 ? `k${i}` : Buffer.from(`kö${i}`),
            i % 7 === 0 ? null : i % 2 === 0 ? 'é👋'.repeat(i % 90) : Buffer.from('x'.repeat(i)),
            {
              timestamp: 1_700_000_000_000 + (i % 2 === 0 ? i * 10_000_000 : -i * 1000),
              headers: i % 5 === 0 ? [] : [['a', `b${i}`]],
            },
          ]);
          const stream = kit.kafka.producer().stream({ ...OPTIONS, compression });
          await pour(stream, topic, records);
          expect(stream.records).toBe(150);
          for (const [key, value, rest] of records)
            expected.push([
              expected.length,
              key?.toString() ?? null,
              value?.toString() ?? null,
              Object.fromEntries((rest?.headers ?? []) as [string, string][]),
              rest?.timestamp ?? -1,
            ]);
        }
        expect(
          await kit.rowsOf({ topic, partition: 0, fromOffset: 0, untilOffset: expected.length }),
        ).toEqual(expected);
        expect(await readWithKafkajs(kit.js, topic, expected.length)).toEqual(expected);
      },
      TIMEOUT_MS,
    );

    it(
      'keep the order of each partition over many batches, put keys where Java does, and use every partition without keys',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(3);
        const client = kit.client({ produceBatchBytesMax: 2000, produceBatchRecordsMax: 50 });
        const records: Sent[] = Array.from({ length: 3000 }, (_, i) => [
          i % 2 === 0 ? `k${i % 20}` : null,
          String(i),
        ]);
        await pour(client.producer().stream({ ...OPTIONS, bufferBytesMax: 20_000 }), topic, records);
        const read = await Promise.all(
          [0, 1, 2].map(async (partition) =>
            kit.rowsOf({ topic, partition, fromOffset: 0, untilOffset: await kit.endOf(topic, partition) }),
          ),
        );
        expect(read.flat()).toHaveLength(3000);
        for (const rows of read) {
          const numbers = rows.map(([, , value]) => Number(value));
          expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
          expect(rows.some(([, key]) => key === null)).toBe(true);
        }
        // By kafkajs's copy of Java's partitioner.
        const placed = new Map(read.flatMap((rows, p) => rows.map(([, key]) => [key, p] as const)));
        const producer = kit.kafka.producer();
        for (let i = 0; i < 20; i += 2) {
          const [range] = await producer.send(topic, [{ key: `k${i}`, value: '' }]);
          expect([i, range?.partition]).toEqual([i, placed.get(`k${i}`)]);
        }
        await client.close();
      },
      TIMEOUT_MS,
    );

    it(
      'write several topics, given partitions, and the partitions of a rule',
      async () => {
        const kit = kitOf();
        const [a, b] = [await kit.newTopic(2), await kit.newTopic(4)];
        const stream = kit.kafka.producer().stream({
          ...OPTIONS,
          partitioner: (key, partitions) => Number(key) % partitions,
        });
        for (let i = 0; i < 100; i++) {
          stream.append(a, String(i), `a${i}`, 1, undefined, []);
          stream.append(b, String(i), `b${i}`, undefined, undefined, []);
          if (stream.isFull) await stream.ready();
        }
        await stream.finish();
        expect(await kit.endOf(a, 0)).toBe(0);
        expect(await kit.endOf(a, 1)).toBe(100);
        const third = await kit.rowsOf({ topic: b, partition: 3, fromOffset: 0, untilOffset: 25 });
        expect(values(third)).toEqual(Array.from({ length: 25 }, (_, i) => `b${4 * i + 3}`));
      },
      TIMEOUT_MS,
    );

    it(
      'divide batches that the topic finds too large, and refuse the record that is',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(1, { 'max.message.bytes': '3000' });
        const records: Sent[] = Array.from({ length: 500 }, (_, i) => [`k${i}`, 'x'.repeat(i % 200)]);
        await pour(kit.kafka.producer().stream(OPTIONS), topic, records);
        const rows = await kit.rowsOf({ topic, partition: 0, fromOffset: 0, untilOffset: 500 });
        expect(rows.map(([, key]) => key)).toEqual(records.map(([key]) => key));
        const large: Sent[] = [['k', 'x'.repeat(5000)]];
        expect(await codeOf(pour(kit.kafka.producer().stream(OPTIONS), topic, large))).toBe(
          'RECORD_TOO_LARGE',
        );
        const tooLarge: Sent[] = [['k', 'x'.repeat(2_000_000)]];
        expect(await codeOf(pour(kit.kafka.producer().stream(OPTIONS), topic, tooLarge))).toBe(
          'RECORD_TOO_LARGE',
        );
      },
      TIMEOUT_MS,
    );

    it(
      'say which topic or partition there is not',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(2);
        const stream = (): RecordStream => kit.kafka.producer().stream(OPTIONS);
        expect(await codeOf(pour(stream(), `${topic}-none`, [[null, 'x']]))).toBe('UNKNOWN_TOPIC');
        expect(await codeOf(pour(stream(), topic, [[null, 'x', { partition: 2 }]]))).toBe(
          'UNKNOWN_PARTITION',
        );
        await kit.kafka.createPartitions(topic, 3);
        // What is new is found, without a wait for old metadata to expire.
        await pour(stream(), topic, [[null, 'x', { partition: 2 }]]);
        expect(await kit.endOf(topic, 2)).toBe(1);
      },
      TIMEOUT_MS,
    );
  });
}
