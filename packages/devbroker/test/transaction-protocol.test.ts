import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeRecordBatch, KAFKA_ERROR } from '@millrace/kafka';
import { manualClock } from '../../executor/test/manual-clock.ts';
import { type DevBroker, startDevBroker } from '../src/index.ts';
import { RawClient } from './raw-client.ts';

const TIMEOUT_MS = 1000;
const TP = { topic: 't', partition: 0 };

let broker: DevBroker;
let client: RawClient;
let clock: ReturnType<typeof manualClock>;

beforeEach(async () => {
  clock = manualClock();
  broker = await startDevBroker({ clock });
  broker.createTopic('t');
  client = await RawClient.connect(broker.brokers);
});

afterEach(async () => {
  client.close();
  await broker.close();
});

interface By {
  readonly transactionalId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
}

async function init(version = 4, transactionalId = 'tx'): Promise<By & { readonly errorCode: number }> {
  const request = {
    transactionalId,
    transactionTimeoutMs: TIMEOUT_MS,
    producerId: -1,
    producerEpoch: -1,
  };
  const answer = await client.send<Omit<By, 'transactionalId'> & { readonly errorCode: number }>(
    'InitProducerId',
    version,
    request,
  );
  return { transactionalId, ...answer };
}

async function add(by: By, version = 3): Promise<number> {
  const answer = await client.send<{ topics: [{ partitions: [{ errorCode: number }] }] }>(
    'AddPartitionsToTxn',
    version,
    { ...by, topics: [{ name: 't', partitions: [0] }] },
  );
  return answer.topics[0].partitions[0].errorCode;
}

async function produce(by: By, sequence: number, transactional = true): Promise<number> {
  const producer = { id: BigInt(by.producerId), epoch: by.producerEpoch, sequence };
  const records = encodeRecordBatch([{ value: `v${sequence}` }], { now: 1, transactional, producer });
  const answer = await client.send<{ topics: [{ partitions: [{ errorCode: number }] }] }>('Produce', 8, {
    transactionalId: by.transactionalId,
    acks: -1,
    timeoutMs: 1000,
    topics: [{ name: 't', partitions: [{ index: 0, records }] }],
  });
  return answer.topics[0].partitions[0].errorCode;
}

async function end(by: By, committed = true, version = 3): Promise<number> {
  const answer = await client.send<{ errorCode: number }>('EndTxn', version, { ...by, committed });
  return answer.errorCode;
}

async function fetched(version = 12, isolationLevel = 1) {
  const response = await client.send<{
    topics: [
      {
        partitions: [
          {
            lastStableOffset: number;
            records: Buffer[];
            abortedTransactions: Array<{ firstOffset: number }> | null;
          },
        ];
      },
    ];
  }>('Fetch', version, {
    maxWaitMs: 0,
    minBytes: 1,
    maxBytes: 1_000_000,
    isolationLevel,
    topics: [
      {
        topic: 't',
        topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
        partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }],
      },
    ],
  });
  return response.topics[0].partitions[0];
}

describe('transactions of the embedded broker', () => {
  it.each([0, 1, 2, 3])('go through every request in v%d', async (version) => {
    const by = await init(version + 1);
    expect(by).toMatchObject({ errorCode: 0, producerEpoch: 0 });
    expect(await add(by, version)).toBe(0);
    expect(await produce(by, 0)).toBe(0);
    const offsets = await client.send('AddOffsetsToTxn', version, { ...by, groupId: 'g' });
    expect(offsets).toMatchObject({ errorCode: 0 });
    const committing = { index: 0, offset: 5, leaderEpoch: -1, metadata: 'm' };
    const commit = { ...by, groupId: 'g', topics: [{ name: 't', partitions: [committing] }] };
    expect(await client.send('TxnOffsetCommit', version, commit)).toMatchObject({
      topics: [{ partitions: [{ errorCode: 0 }] }],
    });
    const pending = async (requireStable: boolean) =>
      client.send('OffsetFetch', 7, {
        groupId: 'g',
        topics: [{ name: 't', partitions: [0] }],
        requireStable,
      });
    const { UNSTABLE_OFFSET_COMMIT, NONE } = KAFKA_ERROR;
    expect(await pending(true)).toMatchObject({
      topics: [{ partitions: [{ offset: -1, errorCode: UNSTABLE_OFFSET_COMMIT }] }],
    });
    expect(await pending(false)).toMatchObject({
      topics: [{ partitions: [{ offset: -1, errorCode: NONE }] }],
    });
    expect(await end(by, true, version)).toBe(0);
    expect(await pending(true)).toMatchObject({
      topics: [{ partitions: [{ offset: 5, metadata: 'm', errorCode: NONE }] }],
    });
    const old = await init(version + 1);
    expect(old.producerEpoch).toBe(1);
    const { PRODUCER_FENCED, INVALID_PRODUCER_EPOCH } = KAFKA_ERROR;
    expect(await add(by, version)).toBe(version < 2 ? INVALID_PRODUCER_EPOCH : PRODUCER_FENCED);
    expect(await end(by, true, version)).toBe(version < 2 ? INVALID_PRODUCER_EPOCH : PRODUCER_FENCED);
    expect(await produce(by, 1)).toBe(INVALID_PRODUCER_EPOCH);
  });

  it('give read_committed what is stable, with the aborted ones named', async () => {
    const by = await init();
    await add(by);
    await produce(by, 0);
    await end(by, false);
    await add(by);
    await produce(by, 1);
    for (const version of [4, 7, 11, 12]) {
      const found = await fetched(version);
      expect(found).toMatchObject({ lastStableOffset: 2, abortedTransactions: [{ firstOffset: 0 }] });
      expect(Buffer.concat(found.records).includes('v1')).toBe(false);
      const all = await fetched(version, 0);
      expect(all.abortedTransactions).toBeNull();
      expect(Buffer.concat(all.records).includes('v1')).toBe(true);
    }
  });

  it('are aborted when their time is over, by the broker’s clock, and their producer is fenced', async () => {
    const by = await init();
    await add(by);
    await produce(by, 0);
    clock.advance(TIMEOUT_MS - 1);
    expect(broker.offsets(TP)).toMatchObject({ lastStableOffset: 0, logEndOffset: 1 });
    clock.advance(1);
    expect(broker.offsets(TP)).toMatchObject({ lastStableOffset: 2, logEndOffset: 2 });
    expect(await produce(by, 1)).toBe(KAFKA_ERROR.INVALID_PRODUCER_EPOCH);
    expect(await end(by)).toBe(KAFKA_ERROR.PRODUCER_FENCED);
    expect((await init()).producerEpoch).toBe(2);
  });

  it('do not time out when they have ended before', async () => {
    const by = await init();
    await add(by);
    clock.advance(TIMEOUT_MS - 1);
    await end(by);
    clock.advance(TIMEOUT_MS);
    expect(await add(by)).toBe(0);
    clock.advance(TIMEOUT_MS - 1);
    expect(await end(by)).toBe(0);
  });

  it('take no batch that is not theirs', async () => {
    const by = await init();
    const { INVALID_TXN_STATE, INVALID_PRODUCER_ID_MAPPING } = KAFKA_ERROR;
    expect(await produce(by, 0)).toBe(INVALID_TXN_STATE);
    await add(by);
    expect(await produce({ ...by, producerId: 99 }, 0)).toBe(INVALID_PRODUCER_ID_MAPPING);
    expect(await produce({ ...by, transactionalId: 'other' }, 0)).toBe(INVALID_PRODUCER_ID_MAPPING);
    expect(await produce(by, 0)).toBe(0);
    expect(await produce(by, 0)).toBe(0);
    expect(await produce(by, 2)).toBe(KAFKA_ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER);
    expect(await produce(by, 1, false)).toBe(INVALID_TXN_STATE);
    expect(broker.offsets(TP).logEndOffset).toBe(1);
    expect(await client.send('InitProducerId', 4, { ...by, transactionTimeoutMs: 0 })).toMatchObject({
      errorCode: KAFKA_ERROR.INVALID_TRANSACTION_TIMEOUT,
    });
  });

  it('add all partitions of a request or none', async () => {
    const by = await init();
    const topics = [{ name: 't', partitions: [0, 7] }];
    expect(await client.send('AddPartitionsToTxn', 3, { ...by, topics })).toMatchObject({
      topics: [
        {
          partitions: [
            { errorCode: KAFKA_ERROR.OPERATION_NOT_ATTEMPTED },
            { errorCode: KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION },
          ],
        },
      ],
    });
    expect(await produce(by, 0)).toBe(KAFKA_ERROR.INVALID_TXN_STATE);
  });

  it('are listed and described', async () => {
    const by = await init();
    await add(by);
    await produce(by, 0);
    await init(4, 'idle');
    const list = async (filter: object) =>
      client.send<{ transactions: Array<{ transactionalId: string }> }>('ListTransactions', 1, {
        stateFilters: [],
        producerIdFilters: [],
        ...filter,
      });
    expect((await list({})).transactions.map(({ transactionalId }) => transactionalId)).toEqual([
      'tx',
      'idle',
    ]);
    expect((await list({ stateFilters: ['Ongoing'] })).transactions).toEqual([
      { transactionalId: 'tx', producerId: by.producerId, status: 'Ongoing' },
    ]);
    expect((await list({ durationFilterMs: 10 })).transactions).toEqual([]);
    clock.advance(11);
    expect((await list({ durationFilterMs: 10 })).transactions).toHaveLength(1);
    const described = await client.send('DescribeTransactions', 0, { transactionalIds: ['tx', 'none'] });
    expect(described).toMatchObject({
      transactions: [
        { errorCode: 0, status: 'Ongoing', topics: [{ topic: 't', partitions: [0] }] },
        { errorCode: KAFKA_ERROR.TRANSACTIONAL_ID_NOT_FOUND },
      ],
    });
    const producers = await client.send('DescribeProducers', 0, {
      topics: [{ name: 't', partitions: [0] }],
    });
    expect(producers).toMatchObject({
      topics: [{ partitions: [{ producers: [{ producerId: by.producerId, openSince: 0 }] }] }],
    });
  });
});
