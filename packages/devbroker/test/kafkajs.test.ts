import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CompressionTypes, ConfigResourceTypes, type Consumer, Kafka, logLevel, Partitioners } from 'kafkajs';
import { until } from '../../../test/support/until.ts';
import { type DevBroker, startDevBroker } from '../src/index.ts';

let broker: DevBroker;
let kafka: Kafka;

beforeAll(async () => {
  broker = await startDevBroker({ nodes: 2 });
  kafka = new Kafka({ brokers: broker.brokers.split(','), logLevel: logLevel.NOTHING });
});

afterAll(async () => {
  await broker.close();
});

async function send(topic: string, values: readonly string[], idempotent = false): Promise<void> {
  const producer = kafka.producer({
    idempotent,
    ...(idempotent ? { maxInFlightRequests: 1 } : {}),
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  await producer.send({
    topic,
    acks: -1,
    compression: CompressionTypes.GZIP,
    messages: values.map((value) => ({ key: value, value, headers: { h: 'ü' } })),
  });
  await producer.disconnect();
}

interface Member {
  readonly consumer: Consumer;
  readonly values: string[];
  assigned: readonly number[];
}

async function member(groupId: string, topic: string): Promise<Member> {
  const consumer = kafka.consumer({
    groupId,
    sessionTimeout: 6000,
    heartbeatInterval: 100,
    maxWaitTimeInMs: 50,
  });
  const joined: Member = { consumer, values: [], assigned: [] };
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    joined.assigned = payload.memberAssignment[topic] ?? [];
  });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }) => void joined.values.push(String(message.value)),
  });
  return joined;
}

describe('kafkajs against the embedded broker', () => {
  it('administers topics, offsets, configs and groups', async () => {
    const admin = kafka.admin();
    await admin.connect();
    expect(await admin.createTopics({ topics: [{ topic: 'admin', numPartitions: 2 }] })).toBe(true);
    await admin.createPartitions({ topicPartitions: [{ topic: 'admin', count: 4 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: ['admin'] });
    expect(topics[0]?.partitions.map(({ leader }) => leader).toSorted()).toEqual([1, 1, 2, 2]);
    await send('admin', ['a', 'b', 'c', 'd', 'e']);
    const offsets = await admin.fetchTopicOffsets('admin');
    expect(offsets.reduce((sum, { high }) => sum + Number(high), 0)).toBe(5);
    await admin.deleteTopicRecords({
      topic: 'admin',
      partitions: offsets.map(({ partition, high }) => ({ partition, offset: high })),
    });
    expect((await admin.fetchTopicOffsets('admin')).every(({ low, high }) => low === high)).toBe(true);
    await admin.setOffsets({
      groupId: 'settled',
      topic: 'admin',
      partitions: [{ partition: 1, offset: '1' }],
    });
    const [committed] = await admin.fetchOffsets({ groupId: 'settled', topics: ['admin'] });
    expect(committed?.partitions.find(({ partition }) => partition === 1)?.offset).toBe('1');
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 'admin', configNames: ['cleanup.policy'] }],
    });
    expect(resources[0]?.configEntries).toMatchObject([
      { configName: 'cleanup.policy', configValue: 'delete' },
    ]);
    expect(await admin.listGroups()).toMatchObject({ groups: [{ groupId: 'settled' }] });
    await admin.deleteGroups(['settled']);
    await admin.deleteTopics({ topics: ['admin'] });
    expect(await admin.listTopics()).not.toContain('admin');
    await admin.disconnect();
  }, 30_000);

  it('shares a topic between two members of a group, and gives all of it to the one that stays', async () => {
    broker.createTopic('shared', { partitions: 4 });
    const first = await member('group', 'shared');
    await until('the first join', () => first.assigned.length === 4);
    const second = await member('group', 'shared');
    await until('the rebalance', () => first.assigned.length === 2 && second.assigned.length === 2);
    const values = Array.from({ length: 200 }, (_, i) => `v${i}`);
    await send('shared', values, true);
    await until('all values', () => first.values.length + second.values.length === 200);
    expect([...first.values, ...second.values].toSorted()).toEqual(values.toSorted());
    expect(Math.min(first.values.length, second.values.length)).toBeGreaterThan(0);
    await second.consumer.disconnect();
    await until('the second rebalance', () => first.assigned.length === 4);
    const before = first.values.length;
    await send('shared', values);
    await until('the values of the second round', () => first.values.length === before + 200);
    await first.consumer.disconnect();
  }, 60_000);

  it('goes on after a leader change, lost answers and broken connections, without a duplicate when it is idempotent', async () => {
    broker.createTopic('faulty', { partitions: 1 });
    const reader = await member('faulty-group', 'faulty');
    broker.faults.inject({ api: 'Produce', topic: 'faulty', action: { kind: 'changeLeader' } });
    await send('faulty', ['a'], true);
    broker.faults.inject({ api: 'Produce', topic: 'faulty', action: { kind: 'close', when: 'after' } });
    await send('faulty', ['b'], true);
    broker.faults.inject({ api: 'Fetch', topic: 'faulty', times: 2, action: { kind: 'error', code: 6 } });
    broker.closeConnections();
    await send('faulty', ['c'], true);
    await until('all values', () => reader.values.length >= 3);
    expect(reader.values).toEqual(['a', 'b', 'c']);
    expect(broker.offsets({ topic: 'faulty', partition: 0 }).logEndOffset).toBe(3);
    await reader.consumer.disconnect();
  }, 60_000);
});
