import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MillraceError, systemClock } from '@millrace/common';
import kafkajs from 'kafkajs';
import { type ContractKit, codeOf, numbered, TIMEOUT_MS, values } from './contract-kit.ts';

export function readsContract(kitOf: () => ContractKit): void {
  describe('reads', () => {
    it(
      'tell where the log begins and ends when an offset is outside of it',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        await kit.kafka.producer().send(topic, numbered(5));
        const read = kit.rowsOf({ topic, partition: 0, fromOffset: 9, untilOffset: 12 });
        await expect(read).rejects.toThrow(
          expect.objectContaining({
            code: 'OFFSET_OUT_OF_RANGE',
            details: expect.objectContaining({ topic, partition: 0, offset: 9, earliest: 0, latest: 5 }),
          }),
        );
      },
      TIMEOUT_MS,
    );

    it(
      'of a range that ends beyond the log end in an error in time, having given what is there',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        await kit.kafka.producer().send(topic, numbered(5));
        const hasty = kit.client({ fetchTimeoutMs: 700, fetchWaitMs: 100 });
        const seen: number[] = [];
        const read = async (): Promise<void> => {
          const range = { topic, partition: 0, fromOffset: 0, untilOffset: 6 };
          for await (const c of hasty.reader(range).read(range)) seen.push(c.n);
        };
        const began = systemClock.monotonic();
        expect(await codeOf(read)).toBe('OFFSET_OUT_OF_RANGE');
        expect(systemClock.monotonic() - began).toBeLessThan(3000);
        expect(seen).toEqual([5]);
        await hasty.close();
      },
      TIMEOUT_MS,
    );

    it(
      'can be abandoned by return, throw and abort, and the reader goes on',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        for (let i = 0; i < 5; i++) await kit.kafka.producer().send(topic, numbered(10));
        const small = kit.client({ fetchBytesMax: 1 });
        const range = { topic, partition: 0, fromOffset: 0, untilOffset: 50 };
        const reader = small.reader(range);
        for await (const _ of reader.read(range)) break;
        const thrown = async (): Promise<void> => {
          for await (const _ of reader.read(range)) throw new MillraceError('USER_CODE', 'mine');
        };
        expect(await codeOf(thrown)).toBe('USER_CODE');
        const abort = new AbortController();
        const aborted = async (): Promise<void> => {
          for await (const _ of reader.read(range, { signal: abort.signal })) abort.abort();
        };
        expect(await codeOf(aborted)).toBe('CANCELLED');
        let n = 0;
        for await (const c of reader.read(range)) n += c.n;
        expect(n).toBe(50);
        await small.close();
      },
      TIMEOUT_MS,
    );

    it(
      'notice a topic that was deleted and created again, shorter or longer',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        await kit.kafka.producer().send(topic, numbered(5, 'old'));
        const [before] = await kit.kafka.topics([topic]);
        const topicId = before?.topicId ?? '';
        const range = { topic, partition: 0, fromOffset: 2, untilOffset: 5, topicId };
        expect(values(await kit.rowsOf(range))).toEqual(['old2', 'old3', 'old4']);
        for (const length of [1, 9]) {
          await kit.kafka.deleteTopic(topic);
          await kit.kafka.createTopic(topic, { partitions: 1, replicationFactor: 1 });
          await kit.kafka.producer().send(topic, numbered(length, 'new'));
          expect(await codeOf(kit.rowsOf(range))).toBe('TOPIC_RECREATED');
          const other = kit.client();
          expect(await codeOf(kit.rowsOf(range, {}, other))).toBe('TOPIC_RECREATED');
          await other.close();
        }
        const [after] = await kit.kafka.topics([topic]);
        const fresh = { ...range, fromOffset: 0, untilOffset: 9, topicId: after?.topicId ?? '' };
        expect(await kit.rowsOf(fresh)).toHaveLength(9);
      },
      TIMEOUT_MS,
    );

    it(
      'of a topic that is deleted end in an error in time',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        await kit.kafka.producer().send(topic, numbered(5));
        const range = { topic, partition: 0, fromOffset: 0, untilOffset: 5 };
        expect(await kit.rowsOf(range)).toHaveLength(5);
        const other = kit.client();
        await other.deleteTopic(topic);
        await other.close();
        const began = systemClock.monotonic();
        expect(await codeOf(kit.rowsOf(range))).toBe('UNKNOWN_TOPIC');
        expect(systemClock.monotonic() - began).toBeLessThan(10_000);
      },
      TIMEOUT_MS,
    );

    it(
      'skip aborted transactions and markers under read_committed, and end by position',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const producer = kit.js.producer({
          createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
          idempotent: true,
          maxInFlightRequests: 1,
          transactionalId: topic,
        });
        await producer.connect();
        for (let i = 0; i < 4; i++) {
          const transaction = await producer.transaction();
          const value = `${i % 2 === 0 ? 'committed' : 'aborted'}${i}`;
          await transaction.send({
            topic,
            messages: [
              { partition: 0, value },
              { partition: 0, value },
            ],
          });
          await kit.kafka.producer().send(topic, [{ value: `plain${i}`, partition: 0 }]);
          await (i % 2 === 0 ? transaction.commit() : transaction.abort());
        }
        await producer.disconnect();
        // 12 records and 4 markers; a marker is written after the transaction was answered for.
        const end = 16;
        const deadline = systemClock.now() + 10_000;
        while ((await kit.endOf(topic)) < end && systemClock.now() < deadline) await delay(10);
        expect(await kit.endOf(topic)).toBe(end);
        const range = { topic, partition: 0, fromOffset: 0, untilOffset: end };
        const committed = values(await kit.rowsOf(range));
        expect(committed.filter((v) => String(v).startsWith('aborted'))).toEqual([]);
        expect(committed).toHaveLength(8);
        expect(await kit.rowsOf(range, { isolation: 'read_uncommitted' })).toHaveLength(12);
        // One batch a fetch: transactions begin and end in different ones.
        const tiny = kit.client({ fetchBytesMax: 1 });
        expect(values(await kit.rowsOf(range, {}, tiny))).toEqual(committed);
        // From the middle of an aborted transaction on.
        const all = await kit.rowsOf(range, { isolation: 'read_uncommitted' });
        const inside = all.findLast(([, , value]) => value === 'aborted1')?.[0] ?? -1;
        const rest = { ...range, fromOffset: inside };
        expect(values(await kit.rowsOf(rest, {}, tiny))).toEqual(values(await kit.rowsOf(rest)));
        expect(values(await kit.rowsOf(rest))).not.toContain('aborted1');
        await tiny.close();
        // Nothing but a marker: an empty range that ends.
        expect(await kit.rowsOf({ ...range, fromOffset: end - 1 })).toEqual([]);
      },
      TIMEOUT_MS,
    );

    it(
      'tell of records that were deleted below the range',
      async () => {
        const kit = kitOf();
        if (!kit.under.logCleaning) return;
        const topic = await kit.newTopic();
        await kit.kafka.producer().send(topic, numbered(10));
        const admin = kit.js.admin();
        await admin.connect();
        await admin.fetchTopicOffsets(topic); // kafkajs knows no topic before
        await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
        await admin.disconnect();
        const range = { topic, partition: 0, fromOffset: 2, untilOffset: 10 };
        await expect(kit.rowsOf(range)).rejects.toThrow(/below the log start 4/);
        expect(await kit.rowsOf({ ...range, fromOffset: 4 })).toHaveLength(6);
      },
      TIMEOUT_MS,
    );

    it(
      'carry log-append time when the topic asks for it',
      async () => {
        const kit = kitOf();
        if (!kit.under.logCleaning) return;
        const topic = await kit.newTopic(1, { 'message.timestamp.type': 'LogAppendTime' });
        const began = systemClock.now();
        await kit.kafka.producer().send(topic, [{ value: 'x', partition: 0, timestamp: 1000 }]);
        const [row] = await kit.rowsOf({ topic, partition: 0, fromOffset: 0, untilOffset: 1 });
        expect(row?.[4]).toBeGreaterThanOrEqual(began - 1000);
      },
      TIMEOUT_MS,
    );
  });
}
