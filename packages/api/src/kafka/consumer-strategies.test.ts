import { describe, expect, it } from '@jest/globals';
import { ConsumerStrategies, type StrategyAdmin } from './consumer-strategies.ts';

const OPTIONS = { brokers: 'localhost:9092', groupId: 'g', startFrom: 'earliest' } as const;

describe('consumer strategies', () => {
  const topic = (name: string, partitions: number) => ({
    topic: name,
    topicId: undefined,
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      leaderId: 1,
      leaderHost: 'h',
      leaderEpoch: 0,
    })),
  });
  const admin = {
    topics: async (names?: readonly string[]) =>
      [topic('clicks', 1), topic('views', 2), topic('views-old', 1), topic('__offsets', 1)].filter(
        (t) => names === undefined || names.includes(t.topic),
      ),
  } as unknown as StrategyAdmin;

  it('subscribe to all partitions of their topics', async () => {
    const { partitions } = await ConsumerStrategies.Subscribe(['views', 'clicks', 'views'], OPTIONS).assign(
      admin,
      new Map(),
    );
    expect(partitions.map((tp) => `${tp.topic}-${tp.partition}`)).toEqual(['clicks-0', 'views-0', 'views-1']);
  });

  it('match whole names, never internal ones', async () => {
    const { partitions } = await ConsumerStrategies.SubscribePattern(/views|_.*/g, OPTIONS).assign(
      admin,
      new Map(),
    );
    expect(partitions.map((tp) => tp.topic)).toEqual(['views', 'views']);
  });

  it('refuse a partition that is assigned twice or does not exist', async () => {
    const zero = { topic: 'views', partition: 0 };
    const twice = ConsumerStrategies.Assign([zero, zero], OPTIONS);
    expect(() => twice.check?.()).toThrow('views-0 is listed twice');
    for (const nothing of [
      ConsumerStrategies.Subscribe([], OPTIONS),
      ConsumerStrategies.Subscribe(['views', ''], OPTIONS),
      ConsumerStrategies.Assign([], OPTIONS),
    ])
      expect(() => nothing.check?.()).toThrow('CONFIG_INVALID');
    const missing = ConsumerStrategies.Assign([zero, { topic: 'views', partition: 7 }], OPTIONS);
    await expect(missing.assign(admin, new Map())).rejects.toThrow('views-7 do not exist');
  });
});
