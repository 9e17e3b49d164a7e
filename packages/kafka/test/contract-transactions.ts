import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import { type KafkaClient, type TransactionalProducer, topicPartitionKey } from '@millrace/kafka';
import kafkajs from 'kafkajs';
import { type ContractKit, codeOf, numbered, readWithKafkajs, TIMEOUT_MS, values } from './contract-kit.ts';

const WAIT_MS_MAX = 40_000;

/** Waits until `read` gives what `isRight` accepts; gives the last one when the time is over. */
async function eventually<T>(read: () => Promise<T>, isRight: (found: T) => boolean): Promise<T> {
  const deadline = systemClock.monotonic() + WAIT_MS_MAX;
  for (;;) {
    const found = await read();
    if (isRight(found) || systemClock.monotonic() > deadline) return found;
    await systemClock.sleep(20);
  }
}

/** What readers of partition 0 see. A commit is told before its markers are written: ask until the end is there. */
async function visible(
  kit: ContractKit,
  topic: string,
  isolation: 'read_committed' | 'read_uncommitted' = 'read_committed',
): Promise<unknown[]> {
  const tp = { topic, partition: 0 };
  const end =
    (await kit.kafka.listOffsets([tp], 'latest', isolation)).get(topicPartitionKey(tp))?.offset ?? 0;
  const range = { ...tp, fromOffset: 0, untilOffset: end };
  return values(await kit.rowsOf(range, { isolation }));
}

async function stableEnd(kit: ContractKit, topic: string, until: number): Promise<number> {
  return eventually(
    () => kit.endOf(topic),
    (end) => end >= until,
  );
}

interface GivenProducer {
  readonly id?: string;
  readonly timeoutMs?: number;
  readonly kafka?: KafkaClient;
}

export function transactionsContract(kitOf: () => ContractKit): void {
  const newProducer = (given: GivenProducer = {}): TransactionalProducer =>
    (given.kafka ?? kitOf().kafka).transactionalProducer({
      transactionalId: given.id ?? `contract-${randomUUID()}`,
      transactionTimeoutMs: given.timeoutMs ?? 60_000,
    });

  /** In its first transaction. */
  const begunProducer = async (given: GivenProducer = {}): Promise<TransactionalProducer> => {
    const producer = newProducer(given);
    await producer.init();
    producer.begin();
    return producer;
  };

  describe('transactions', () => {
    it(
      'are seen by read_committed when they are committed, never when they were aborted, and hold it back while they are open',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const producer = await begunProducer();
        await producer.send(topic, numbered(2, 'committed'));
        await producer.commit();
        expect(producer.state).toBe('READY');
        producer.begin();
        await producer.send(topic, numbered(2, 'aborted'));
        await producer.abort();
        // Two batches and two markers.
        expect(await stableEnd(kit, topic, 6)).toBe(6);
        producer.begin();
        await producer.send(topic, numbered(1, 'open'));
        await kit.kafka.producer().send(topic, numbered(1, 'behind'));
        expect(await visible(kit, topic)).toEqual(['committed0', 'committed1']);
        expect(await visible(kit, topic, 'read_uncommitted')).toEqual([
          'committed0',
          'committed1',
          'aborted0',
          'aborted1',
          'open0',
          'behind0',
        ]);
        await producer.commit();
        expect(await stableEnd(kit, topic, 9)).toBe(9);
        const all = ['committed0', 'committed1', 'open0', 'behind0'];
        expect(await visible(kit, topic)).toEqual(all);
        expect(values(await readWithKafkajs(kit.js, topic, 4))).toEqual(all);
      },
      TIMEOUT_MS,
    );

    it(
      'begin, commit and abort without a record cost nothing and change nothing',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const producer = await begunProducer();
        await producer.commit();
        producer.begin();
        await producer.send(topic, []);
        await producer.abort();
        expect([producer.state, await visible(kit, topic, 'read_uncommitted')]).toEqual(['READY', []]);
        expect(await codeOf(producer.commit())).toBe('BAD_REQUEST');
        expect(await codeOf(producer.send(topic, numbered(1)))).toBe('BAD_REQUEST');
      },
      TIMEOUT_MS,
    );

    it(
      'span partitions, topics, sends and streams, and keep the order of each partition',
      async () => {
        const kit = kitOf();
        const [one, two] = [await kit.newTopic(3), await kit.newTopic()];
        const kafka = kit.client({ produceBatchRecordsMax: 5 });
        const producer = newProducer({ kafka });
        for (let round = 0; round < 2; round++) {
          await producer.init();
          for (const part of ['a', 'b']) {
            producer.begin();
            const sends = [0, 1, 2].map((partition) =>
              producer.send(
                one,
                numbered(20, `${round}${part}`).map((record) => ({ ...record, partition })),
              ),
            );
            const stream = producer.stream({
              deliveryTimeoutMs: 20_000,
              bufferBytesMax: 1e6,
              firstPartition: 0,
            });
            for (let i = 0; i < 20; i++) {
              stream.append(two, null, `${round}${part}${i}`, 0, undefined, []);
              if (stream.isFull) await stream.ready();
            }
            await Promise.all([...sends, stream.finish()]);
            await producer.commit();
          }
        }
        const expected = ['0a', '0b', '1a', '1b'].flatMap((p) => numbered(20, p).map(({ value }) => value));
        const found = await eventually(
          () => visible(kit, two),
          (rows) => rows.length >= 80,
        );
        expect(found).toEqual(expected);
        expect(await visible(kit, one)).toEqual(expected);
        await kafka.close();
      },
      TIMEOUT_MS,
    );

    it(
      'of a producer end when another one of its id begins, and the older one hears that it is fenced',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const id = `contract-${randomUUID()}`;
        const old = await begunProducer({ id });
        const young = newProducer({ id });
        await old.send(topic, numbered(1, 'old'));
        await young.init();
        expect(await codeOf(old.commit())).toBe('PRODUCER_FENCED');
        expect(old.state).toBe('FENCED');
        expect(await codeOf(old.init())).toBe('PRODUCER_FENCED');
        young.begin();
        await young.send(topic, numbered(1, 'young'));
        await young.commit();
        const found = await eventually(
          () => visible(kit, topic),
          (rows) => rows.length > 0,
        );
        expect(found).toEqual(['young0']);
      },
      TIMEOUT_MS,
    );

    it(
      'of a fenced producer take neither records nor offsets, whether or not it had begun',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const groupId = `contract-${randomUUID()}`;
        for (const begun of [true, false]) {
          const id = `contract-${randomUUID()}`;
          for (const write of [
            (p: TransactionalProducer) => p.send(topic, numbered(1, 'zombie')),
            (p: TransactionalProducer) => p.sendOffsets(groupId, [{ topic, partition: 0, offset: 1 }]),
          ]) {
            const old = await begunProducer({ id });
            const young = newProducer({ id });
            if (begun) await old.send(topic, numbered(1, 'before'));
            await young.init();
            expect(await codeOf(write(old) as Promise<unknown>)).toBe('PRODUCER_FENCED');
            expect(old.state).toBe('FENCED');
          }
        }
        await kit.kafka.producer().send(topic, numbered(1, 'end'));
        const found = await eventually(
          () => visible(kit, topic),
          (rows) => rows.length > 0,
        );
        expect(found).toEqual(['end0']);
        const committed = await kit.kafka.committedOffsets(groupId, [{ topic, partition: 0 }]);
        expect(committed.size).toBe(0);
      },
      TIMEOUT_MS,
    );

    it(
      'are aborted when their time is over, and their producer is fenced',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const producer = await begunProducer({ timeoutMs: 1000 });
        await producer.send(topic, numbered(1, 'late'));
        // A real broker looks every 10 s.
        expect(await stableEnd(kit, topic, 2)).toBe(2);
        expect(await codeOf(producer.commit())).toBe('PRODUCER_FENCED');
        expect(await visible(kit, topic)).toEqual([]);
      },
      TIMEOUT_MS,
    );

    it(
      'carry offsets with metadata, which count when they are committed and not when they were aborted',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(2);
        const groupId = `contract-${randomUUID()}`;
        const tps = [0, 1].map((partition) => ({ topic, partition }));
        const committed = async () => [
          ...(await kit.kafka.committedOffsets(groupId, tps, { requireStable: true })),
        ];
        const producer = await begunProducer();
        await producer.sendOffsets(groupId, [
          { topic, partition: 0, offset: 7, metadata: '{"é":1}' },
          { topic, partition: 1, offset: 0 },
        ]);
        await producer.commit();
        const expected = [
          [`${topic}-0`, { offset: 7, metadata: '{"é":1}' }],
          [`${topic}-1`, { offset: 0, metadata: '' }],
        ];
        expect(await committed()).toEqual(expected);
        producer.begin();
        await producer.send(topic, numbered(1));
        await producer.sendOffsets(groupId, [{ topic, partition: 0, offset: 9 }]);
        await producer.abort();
        expect(await committed()).toEqual(expected);
      },
      TIMEOUT_MS,
    );

    it(
      'keep a stable fetch of offsets waiting until they have ended',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const tp = { topic, partition: 0 };
        const groupId = `contract-${randomUUID()}`;
        const producer = await begunProducer();
        await producer.sendOffsets(groupId, [{ ...tp, offset: 5 }]);
        const hasty = kit.client({ requestTimeoutMs: 500 });
        const stable = { requireStable: true };
        expect(await codeOf(hasty.committedOffsets(groupId, [tp], stable))).not.toBe('nothing thrown');
        await hasty.close();
        const waiting = kit.kafka.committedOffsets(groupId, [tp], stable);
        await producer.commit();
        expect([...(await waiting).values()]).toEqual([{ offset: 5, metadata: '' }]);
      },
      TIMEOUT_MS,
    );

    it(
      'with a step that can never be done are aborted, and the producer goes on',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(1, { 'max.message.bytes': '2000' });
        const producer = await begunProducer();
        await producer.send(topic, numbered(1, 'small'));
        expect(await codeOf(producer.send(topic, [{ value: 'x'.repeat(5000), partition: 0 }]))).toBe(
          'RECORD_TOO_LARGE',
        );
        expect(producer.state).toBe('ABORTABLE');
        expect(await codeOf(producer.commit())).toBe('TRANSACTION_ABORTABLE');
        await producer.abort();
        producer.begin();
        await producer.send(
          topic,
          Array.from({ length: 8 }, (_, i) => ({ value: `${i}`.padEnd(500, 'x'), partition: 0 })),
        );
        await producer.commit();
        const found = await eventually(
          () => visible(kit, topic),
          (rows) => rows.length > 0,
        );
        expect(found.map((value) => String(value)[0])).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
        producer.begin();
        expect(await codeOf(producer.send('no-such-topic-é', numbered(1)))).toBe('UNKNOWN_TOPIC');
        expect(producer.state).toBe('ABORTABLE');
        await producer.abort();
        expect(await codeOf(newProducer({ timeoutMs: 2 ** 31 - 1 }).init())).toBe('CONFIG_INVALID');
      },
      TIMEOUT_MS,
    );

    it(
      'of many ids go over the same connections at the same time, each whole or not at all',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const runs = Array.from({ length: 50 }, async (_, i) => {
          const producer = await begunProducer();
          await producer.send(topic, numbered(3, `${i}-`));
          await (i % 3 === 0 ? producer.abort() : producer.commit());
        });
        await Promise.all(runs);
        const expected = runs.flatMap((_, i) =>
          i % 3 === 0 ? [] : numbered(3, `${i}-`).map((r) => r.value as string),
        );
        const found = await eventually(
          () => visible(kit, topic),
          (rows) => rows.length >= expected.length,
        );
        expect(found.length).toBe(expected.length);
        expect(new Set(found)).toEqual(new Set(expected));
      },
      TIMEOUT_MS,
    );

    it(
      'of kafkajs’s producer are read by ours, and its consumer in read_uncommitted sees what ours aborted',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const theirs = kit.js.producer({
          createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
          idempotent: true,
          maxInFlightRequests: 1,
          transactionalId: `contract-${randomUUID()}`,
        });
        await theirs.connect();
        const transaction = await theirs.transaction();
        await transaction.send({ topic, messages: [{ partition: 0, value: 'theirs' }] });
        const groupId = `contract-${randomUUID()}`;
        const topics = [{ topic, partitions: [{ partition: 0, offset: '3' }] }];
        await transaction.sendOffsets({ consumerGroupId: groupId, topics });
        await transaction.commit();
        await theirs.disconnect();
        const ours = await begunProducer();
        await ours.send(topic, numbered(1, 'ours'));
        await ours.abort();
        const found = await eventually(
          () => visible(kit, topic),
          (rows) => rows.length >= 1,
        );
        expect(found).toEqual(['theirs']);
        const offsets = await kit.kafka.committedOffsets(groupId, [{ topic, partition: 0 }]);
        expect([...offsets.values()]).toEqual([{ offset: 3, metadata: '' }]);
        const consumer = kit.js.consumer({ groupId: `contract-${randomUUID()}`, readUncommitted: true });
        const seen: string[] = [];
        await consumer.connect();
        await consumer.subscribe({ topic, fromBeginning: true });
        await consumer.run({ eachMessage: async ({ message }) => void seen.push(String(message.value)) });
        await eventually(
          async () => seen.length,
          (n) => n >= 2,
        );
        await consumer.disconnect();
        expect(seen).toEqual(['theirs', 'ours0']);
      },
      TIMEOUT_MS,
    );
  });
}
