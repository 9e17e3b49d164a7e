import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeRecordBatch, KAFKA_ERROR } from '@millrace/kafka';
import { crc32c } from '@node-rs/crc32';
import { type DevBroker, startDevBroker } from '../src/index.ts';
import { RawClient } from './raw-client.ts';

const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA';

interface FetchedPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly logStartOffset: number;
  readonly records: readonly Buffer[];
  readonly divergingEpoch?: { readonly epoch: number; readonly endOffset: number };
  readonly currentLeader?: { readonly leaderId: number; readonly leaderEpoch: number };
}
interface FetchResponse {
  readonly errorCode: number;
  readonly topics: ReadonlyArray<{ readonly partitions: readonly FetchedPartition[] }>;
}
interface Wanted {
  readonly partition?: number;
  readonly fetchOffset?: number;
  readonly currentLeaderEpoch?: number;
  readonly lastFetchedEpoch?: number;
  readonly partitionMaxBytes?: number;
}

let broker: DevBroker;
let client: RawClient;

beforeEach(async () => {
  broker = await startDevBroker({ nodes: 2 });
  broker.createTopic('t', { partitions: 3 });
  client = await RawClient.connect(broker.brokers.split(',')[0] as string);
});

afterEach(async () => {
  client.close();
  await broker.close();
});

async function produce(value: string, partition = 0, topic = 't'): Promise<number> {
  const records = encodeRecordBatch([{ value }], { now: 1000 });
  const response = await client.send<{ topics: [{ partitions: [{ errorCode: number }] }] }>('Produce', 7, {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topics: [{ name: topic, partitions: [{ index: partition, records }] }],
  });
  return response.topics[0].partitions[0].errorCode;
}

function fetchRequest(
  wanted: readonly Wanted[],
  { maxWaitMs = 0, minBytes = 1, maxBytes = 1_000_000, topic = 't', id = ZERO_UUID, sessionId = 0 } = {},
) {
  const partitions = wanted.map((one) => ({
    partition: 0,
    fetchOffset: 0,
    logStartOffset: -1,
    partitionMaxBytes: 1_000_000,
    ...one,
  }));
  return {
    maxWaitMs,
    minBytes,
    maxBytes,
    isolationLevel: 0,
    sessionId,
    topics: [{ topic, topicId: id, partitions }],
  };
}

async function fetch(
  wanted: readonly Wanted[],
  options: Parameters<typeof fetchRequest>[1] = {},
  version = 12,
): Promise<readonly FetchedPartition[]> {
  const response = await client.send<FetchResponse>('Fetch', version, fetchRequest(wanted, options));
  expect(response.errorCode).toBe(0);
  return (response.topics[0] as FetchResponse['topics'][0]).partitions;
}

const bytesOf = (partition: FetchedPartition | undefined) =>
  (partition?.records ?? []).reduce((sum, chunk) => sum + chunk.length, 0);

async function topicId(): Promise<string> {
  const metadata = await client.send<{ topics: [{ topicId: string }] }>('Metadata', 12, {
    topics: [{ topicId: ZERO_UUID, name: 't' }],
  });
  return metadata.topics[0].topicId;
}

describe('Fetch of the embedded broker', () => {
  it.each([4, 5, 7, 9, 10, 11, 12])('gives what was produced, by name, in v%d', async (version) => {
    await produce('hello');
    const [found] = await fetch([{}], {}, version);
    expect(found).toMatchObject({ errorCode: 0, highWatermark: 1 });
    expect(String(found?.records[0])).toContain('hello');
  });

  it.each([13, 14, 15, 16])(
    'gives what was produced, by topic id, in v%d; not after the topic was recreated',
    async (version) => {
      await produce('hello');
      const id = await topicId();
      expect(bytesOf((await fetch([{}], { id }, version))[0])).toBeGreaterThan(60);
      broker.recreateTopic('t');
      const [gone] = await fetch([{}], { id }, version);
      expect(gone?.errorCode).toBe(KAFKA_ERROR.UNKNOWN_TOPIC_ID);
      expect(await topicId()).not.toBe(id);
    },
  );

  it('gives one whole batch whatever the limits, and then keeps within them over partitions', async () => {
    await produce('x'.repeat(1000), 0);
    await produce('y'.repeat(1000), 2);
    const tight = await fetch([{ partition: 0, partitionMaxBytes: 1 }, { partition: 2 }], { maxBytes: 10 });
    expect(bytesOf(tight[0])).toBeGreaterThan(1000);
    expect(bytesOf(tight[1])).toBe(0);
    const empty = await fetch(
      [
        { partition: 0, fetchOffset: 1 },
        { partition: 2, partitionMaxBytes: 1 },
      ],
      { maxBytes: 10 },
    );
    expect(empty.map(bytesOf)[0]).toBe(0);
    expect(empty.map(bytesOf)[1]).toBeGreaterThan(1000);
  });

  it('refuses offsets outside the log, on both sides', async () => {
    for (let i = 0; i < 5; i++) await produce('a');
    broker.deleteRecords({ topic: 't', partition: 0 }, 3);
    const codes = [];
    for (const fetchOffset of [-1, 2, 3, 5, 6]) codes.push((await fetch([{ fetchOffset }]))[0]?.errorCode);
    const { OFFSET_OUT_OF_RANGE } = KAFKA_ERROR;
    expect(codes).toEqual([OFFSET_OUT_OF_RANGE, OFFSET_OUT_OF_RANGE, 0, 0, OFFSET_OUT_OF_RANGE]);
  });

  it('names the leader to those who ask another node', async () => {
    const [found] = await fetch([{ partition: 1 }]);
    expect(found).toMatchObject({
      errorCode: KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 2, leaderEpoch: 0 },
    });
    expect(await produce('a', 1)).toBe(KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER);
    broker.changeLeader({ topic: 't', partition: 1 }, 1);
    expect((await fetch([{ partition: 1 }]))[0]?.errorCode).toBe(0);
  });

  it('fences leader epochs of the past and does not know those of the future', async () => {
    broker.changeLeader({ topic: 't', partition: 0 }, 1);
    const code = async (currentLeaderEpoch: number) => (await fetch([{ currentLeaderEpoch }]))[0]?.errorCode;
    expect(await code(0)).toBe(KAFKA_ERROR.FENCED_LEADER_EPOCH);
    expect(await code(1)).toBe(0);
    expect(await code(2)).toBe(KAFKA_ERROR.UNKNOWN_LEADER_EPOCH);
    expect(await code(-1)).toBe(0);
  });

  it('tells a client that was ahead of a truncation where the logs part', async () => {
    for (let i = 0; i < 5; i++) await produce('a');
    broker.truncate({ topic: 't', partition: 0 }, 3);
    const [ahead] = await fetch([{ fetchOffset: 5, lastFetchedEpoch: 0 }]);
    expect(ahead).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 0, endOffset: 3 } });
    await produce('b');
    const [same] = await fetch([{ fetchOffset: 3, lastFetchedEpoch: 0 }]);
    expect(same?.divergingEpoch).toBeUndefined();
    expect(bytesOf(same)).toBeGreaterThan(0);
    const epochs = await client.send<{ topics: [{ partitions: [object] }] }>('OffsetForLeaderEpoch', 4, {
      replicaId: -2,
      topics: [{ topic: 't', partitions: [{ partition: 0, currentLeaderEpoch: 1, leaderEpoch: 0 }] }],
    });
    expect(epochs.topics[0].partitions[0]).toMatchObject({ errorCode: 0, leaderEpoch: 0, endOffset: 3 });
  });

  it('waits for data until the maximum wait, and answers as soon as there is enough', async () => {
    const other = await RawClient.connect(broker.brokers.split(',')[0] as string);
    other.post('Fetch', 12, fetchRequest([{}, { partition: 2 }], { maxWaitMs: 4000 }));
    const before = performance.now();
    await produce('late', 2);
    const response = await other.answer<FetchResponse>('Fetch', 12);
    expect(performance.now() - before).toBeLessThan(2000);
    expect(response.topics[0]?.partitions.map(bytesOf)[1]).toBeGreaterThan(0);
    const waited = performance.now();
    expect(bytesOf((await fetch([{}], { maxWaitMs: 100 }))[0])).toBe(0);
    expect(performance.now() - waited).toBeGreaterThan(90);
    other.close();
  });

  it('ends a wait when the topic is deleted', async () => {
    const other = await RawClient.connect(broker.brokers.split(',')[0] as string);
    other.post('Fetch', 12, fetchRequest([{}], { maxWaitMs: 4000 }));
    await produce('on its way', 2);
    broker.deleteTopic('t');
    const response = await other.answer<FetchResponse>('Fetch', 12);
    expect(response.topics[0]?.partitions[0]?.errorCode).toBe(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
    other.close();
  });

  it('keeps no fetch sessions', async () => {
    const response = await client.send<FetchResponse>('Fetch', 12, fetchRequest([{}], { sessionId: 5 }));
    expect(response.errorCode).toBe(KAFKA_ERROR.FETCH_SESSION_ID_NOT_FOUND);
  });
});

describe('ListOffsets of the embedded broker', () => {
  async function list(timestamp: number): Promise<{ offset: number; timestamp: number }> {
    const response = await client.send<{
      topics: [{ partitions: [{ offset: number; timestamp: number; errorCode: number }] }];
    }>('ListOffsets', 7, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: 't', partitions: [{ index: 0, currentLeaderEpoch: -1, timestamp }] }],
    });
    return response.topics[0].partitions[0];
  }

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'finds the record of a timestamp inside a batch (%s)',
    async (compression) => {
      for (const first of [100, 200]) {
        const times = [0, 10, 20].map((delta) => ({ value: 'v', timestamp: first + delta }));
        const records = encodeRecordBatch(times, { now: 0, compression });
        await client.send('Produce', 7, {
          transactionalId: null,
          acks: -1,
          timeoutMs: 1000,
          topics: [{ name: 't', partitions: [{ index: 0, records }] }],
        });
      }
      expect(await list(-2)).toMatchObject({ offset: 0 });
      expect(await list(-1)).toMatchObject({ offset: 6 });
      expect(await list(-3)).toMatchObject({ offset: 5, timestamp: 220 });
      expect(await list(0)).toMatchObject({ offset: 0, timestamp: 100 });
      expect(await list(105)).toMatchObject({ offset: 1, timestamp: 110 });
      expect(await list(121)).toMatchObject({ offset: 3, timestamp: 200 });
      expect(await list(221)).toMatchObject({ offset: -1, timestamp: -1 });
      broker.deleteRecords({ topic: 't', partition: 0 }, 2);
      expect(await list(105)).toMatchObject({ offset: 2, timestamp: 120 });
    },
  );

  it('answers CORRUPT_MESSAGE when a batch with a right checksum holds no records', async () => {
    const records = encodeRecordBatch([{ value: 'a', timestamp: 500 }], { now: 500 });
    records.fill(0xff, 61);
    records.writeUInt32BE(crc32c(records.subarray(21)), 17);
    await client.send('Produce', 7, {
      transactionalId: null,
      acks: -1,
      timeoutMs: 1000,
      topics: [{ name: 't', partitions: [{ index: 0, records }] }],
    });
    expect(await list(100)).toMatchObject({ errorCode: KAFKA_ERROR.CORRUPT_MESSAGE });
  });
});
