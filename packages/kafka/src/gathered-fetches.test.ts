import { describe, expect, it } from '@jest/globals';
import type { BrokerConnection } from './connection/broker-connection.ts';
import { GatheredFetches } from './gathered-fetches.ts';
import type { FetchedPartitions, FetchRequest, FetchResponse } from './protocol/fetch-api.ts';

const OPTIONS = { timeoutMs: 100, versionMax: 13 };

function request(topic: string, partition: number, own: Partial<FetchRequest> = {}): FetchRequest {
  return {
    topic,
    topicId: `id-of-${topic}`,
    partition,
    offset: 5,
    leaderEpoch: 1,
    lastFetchedEpoch: -1,
    bytesMax: 1000,
    waitMs: 10,
    committedOnly: true,
    ...own,
  };
}

const answer = (at: string): FetchResponse => ({ error: 0, buf: Buffer.from(at) }) as FetchResponse;

/** A broker that says what it was asked; partition 9 is missing in its answers, and asked for 13 it breaks the connection. */
function connection(): { connection: BrokerConnection; asked: string[] } {
  const asked: string[] = [];
  const call = async (_api: object, given: FetchRequest | readonly FetchRequest[]): Promise<unknown> => {
    const requests = Array.isArray(given) ? (given as readonly FetchRequest[]) : [given as FetchRequest];
    asked.push(requests.map(({ topic, partition }) => `${topic}-${partition}`).join());
    if (requests.some(({ partition }) => partition === 13)) throw new Error('the connection broke');
    if (!Array.isArray(given)) return answer(asked.at(-1) ?? '');
    const known = requests.filter(({ partition }) => partition !== 9);
    return {
      error: 0,
      partitions: new Map(known.map(({ partition, topic }) => [partition, answer(`${topic}-${partition}`)])),
      nothing: answer('nothing'),
    } satisfies FetchedPartitions;
  };
  return { connection: { call } as unknown as BrokerConnection, asked };
}

async function fetched(
  broker: BrokerConnection,
  ...requests: readonly FetchRequest[]
): Promise<readonly string[]> {
  const fetches = new GatheredFetches();
  const answers = requests.map(async (one) => (await fetches.call(broker, one, OPTIONS)).buf.toString());
  return Promise.all(answers);
}

describe('fetches that are gathered', () => {
  it('go in one request a topic, and each has the answer for its partition', async () => {
    const { connection: broker, asked } = connection();
    const answers = await fetched(broker, request('a', 0), request('b', 2), request('a', 1));
    expect(answers).toEqual(['a-0', 'b-2', 'a-1']);
    expect(asked).toEqual(['a-0,a-1', 'b-2']);
  });

  it('stay apart when they differ in what a request says once, or name a partition twice', async () => {
    const { connection: broker, asked } = connection();
    await fetched(
      broker,
      request('a', 0),
      request('a', 0),
      request('a', 1, { committedOnly: false }),
      request('a', 1, { topicId: 'recreated' }),
    );
    expect(asked).toEqual(['a-0', 'a-0', 'a-1', 'a-1']);
  });

  it('are so few in a request that its answer is no burden', async () => {
    const { connection: broker, asked } = connection();
    const requests = Array.from({ length: 20 }, (_, i) => request('a', i + 100));
    await fetched(broker, ...requests);
    expect(asked.map((text) => text.split(',').length)).toEqual([16, 4]);
  });

  it('learn of a partition that is not in the answer, and of a connection that breaks', async () => {
    const { connection: broker } = connection();
    expect(await fetched(broker, request('a', 9), request('a', 1))).toEqual(['nothing', 'a-1']);
    const fetches = new GatheredFetches();
    const both = [request('a', 13), request('a', 1)].map((one) => fetches.call(broker, one, OPTIONS));
    for (const { status } of await Promise.allSettled(both)) expect(status).toBe('rejected');
  });

  it('that come later are asked for later', async () => {
    const { connection: broker, asked } = connection();
    const fetches = new GatheredFetches();
    await fetches.call(broker, request('a', 0), OPTIONS);
    await fetches.call(broker, request('a', 1), OPTIONS);
    expect(asked).toEqual(['a-0', 'a-1']);
  });
});
