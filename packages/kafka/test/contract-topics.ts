import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { topicPartitionKey } from '@millrace/kafka';
import { type ContractKit, codeOf, TIMEOUT_MS } from './contract-kit.ts';

export function topicsContract(kitOf: () => ContractKit): void {
  describe('topics and offsets', () => {
    it(
      'are listed with ids, leaders and bounds, and every unknown name is told',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(3);
        const [found] = await kit.kafka.topics([topic]);
        expect(found?.topicId).toMatch(/^[\w-]{22}$/);
        expect(found?.partitions.map((p) => p.partition)).toEqual([0, 1, 2]);
        expect(found?.partitions.every((p) => p.leaderId >= 0 && p.leaderHost !== '')).toBe(true);
        expect((await kit.kafka.topics()).map((t) => t.topic)).toContain(topic);
        await expect(kit.kafka.topics([topic, 'no-such-a', 'no-such-b'])).rejects.toThrow(
          /no-such-a.*no-such-b/,
        );
        expect(await codeOf(kit.kafka.listOffsets([{ topic, partition: 3 }], 'latest'))).toBe(
          'UNKNOWN_PARTITION',
        );
        expect(await codeOf(kit.kafka.listOffsets([{ topic: 'no-such-a', partition: 0 }], 'latest'))).toBe(
          'UNKNOWN_TOPIC',
        );
        await kit.kafka.createPartitions(topic, 5);
        expect((await kit.kafka.topics([topic]))[0]?.partitions).toHaveLength(5);
      },
      TIMEOUT_MS,
    );

    it(
      'are found by timestamp; the end, when no record is as young',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic();
        const at = [1000, 2000, 3000].map((timestamp) => ({ value: 'x', partition: 0, timestamp }));
        for (const record of at) await kit.kafka.producer().send(topic, [record]);
        const tp = { topic, partition: 0 };
        const listed = async (timestamp: number): Promise<number | undefined> =>
          (await kit.kafka.listOffsets([tp], { timestamp })).get(topicPartitionKey(tp))?.offset;
        expect([await listed(0), await listed(1500), await listed(3000), await listed(3001)]).toEqual([
          0, 1, 2, 3,
        ]);
        expect((await kit.kafka.listOffsets([tp], 'earliest')).get(topicPartitionKey(tp))?.offset).toBe(0);
      },
      TIMEOUT_MS,
    );

    it(
      'of groups are committed and read without a join',
      async () => {
        const kit = kitOf();
        const topic = await kit.newTopic(2);
        const groupId = `contract-${randomUUID()}`;
        const tps = [0, 1].map((partition) => ({ topic, partition }));
        expect((await kit.kafka.committedOffsets(groupId, tps)).size).toBe(0);
        await kit.kafka.commitOffsets(groupId, [{ topic, partition: 0, offset: 7, metadata: '{"é":1}' }]);
        await kit.kafka.commitOffsets(groupId, [{ topic, partition: 0, offset: 9 }]);
        const committed = await kit.kafka.committedOffsets(groupId, tps);
        expect([...committed]).toEqual([[`${topic}-0`, { offset: 9, metadata: '' }]]);
      },
      TIMEOUT_MS,
    );
  });
}
