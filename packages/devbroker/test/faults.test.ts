import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { encodeRecordBatch } from '@millrace/kafka';
import { type DevBroker, startDevBroker } from '../src/index.ts';
import { RawClient } from './raw-client.ts';

let broker: DevBroker;
let client: RawClient;

beforeEach(async () => {
  broker = await startDevBroker({ nodes: 2 });
  broker.createTopic('t', { partitions: 2 });
  client = await RawClient.connect(broker.brokers.split(',')[0] as string);
});

afterEach(async () => {
  client.close();
  await broker.close();
});

function produceRequest(producerSequence?: number) {
  const producer =
    producerSequence === undefined ? {} : { producer: { id: 3n, epoch: 0, sequence: producerSequence } };
  const records = encodeRecordBatch([{ value: 'a' }], { now: 1, ...producer });
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 1000,
    topics: [{ name: 't', partitions: [{ index: 0, records }] }],
  };
}

async function produce(producerSequence?: number): Promise<object> {
  const response = await client.send<{ topics: [{ partitions: [object] }] }>(
    'Produce',
    7,
    produceRequest(producerSequence),
  );
  return response.topics[0].partitions[0];
}

const end = () => broker.offsets({ topic: 't', partition: 0 }).logEndOffset;

describe('faults of the embedded broker', () => {
  it('answer an error number instead of doing the work', async () => {
    broker.faults.inject({ api: 'Produce', topic: 't', action: { kind: 'error', code: 19 } });
    expect(await produce()).toMatchObject({ errorCode: 19 });
    expect(end()).toBe(0);
    expect(await produce()).toMatchObject({ errorCode: 0 });
    expect(end()).toBe(1);
  });

  it('close the connection before the work or after it; an idempotent retry is not appended twice', async () => {
    broker.faults.inject({ api: 'Produce', action: { kind: 'close' } });
    client.post('Produce', 7, produceRequest(0));
    await client.closed();
    expect(end()).toBe(0);
    client = await RawClient.connect(broker.brokers.split(',')[0] as string);
    broker.faults.inject({ api: 'Produce', action: { kind: 'close', when: 'after' } });
    client.post('Produce', 7, produceRequest(0));
    await client.closed();
    expect(end()).toBe(1);
    client = await RawClient.connect(broker.brokers.split(',')[0] as string);
    expect(await produce(0)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(end()).toBe(1);
  });

  it('drop one answer while later requests are answered', async () => {
    broker.faults.inject({ api: 'ListGroups', action: { kind: 'drop' } });
    client.post('ListGroups', 0, {});
    client.post('ListGroups', 0, {});
    expect((await client.nextFrame()).readInt32BE(0)).toBe(2);
  });

  it('delay an answer', async () => {
    broker.faults.inject({ api: 'ListGroups', action: { kind: 'delay', delayMs: 120 } });
    const before = performance.now();
    await client.send('ListGroups', 0, {});
    expect(performance.now() - before).toBeGreaterThan(110);
  });

  it('move the leader to another node under a request', async () => {
    broker.faults.inject({ api: 'Produce', topic: 't', partition: 0, action: { kind: 'changeLeader' } });
    expect(await produce()).toMatchObject({ errorCode: 6 });
    expect(broker.offsets({ topic: 't', partition: 0 }).leaderEpoch).toBe(1);
    const metadata = await client.send<{ topics: [{ partitions: Array<{ leaderId: number }> }] }>(
      'Metadata',
      9,
      { topics: [{ name: 't' }] },
    );
    expect(metadata.topics[0].partitions[0]?.leaderId).toBe(2);
  });
});
