import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import {
  encodeRecordBatch,
  KAFKA_ERROR,
  type KafkaClient,
  type TransactionalProducer,
} from '@millrace/kafka';
import { until } from '../../../test/support/until.ts';
import { coordinatorOf } from '../src/broker-state.ts';
import type { DevBroker } from '../src/index.ts';
import { brokerWithTopic, clientOf, closeAfterEach, endOfRun, TP } from './fault-kit.ts';
import { RawClient } from './raw-client.ts';
import { attempt, committedValues, FAULTS, isStable, PROGRESS, STEPS, untilDone } from './transaction-kit.ts';

closeAfterEach();

interface World {
  readonly broker: DevBroker;
  readonly kafka: KafkaClient;
}

/** Time-outs that a lost answer costs. */
async function world(requestTimeoutMs = 400): Promise<World> {
  const broker = await brokerWithTopic({ nodes: 2 });
  broker.createTopic(PROGRESS.topic);
  return { broker, kafka: clientOf(broker, { requestTimeoutMs }).kafka };
}

async function begun({ kafka }: World, transactionalId = 'tx'): Promise<TransactionalProducer> {
  const producer = kafka.transactionalProducer({ transactionalId, transactionTimeoutMs: 60_000 });
  await producer.init();
  producer.begin();
  return producer;
}

const record = (value: string) => [{ value, partition: 0 }];

describe('an attempt from init', () => {
  it.each(STEPS)('loses nothing and writes nothing twice, whatever happens to %s', async (api) => {
    const { broker, kafka } = await world();
    await untilDone(kafka, 'sink', 0, ['a0', 'b0']);
    for (const [i, [name, action]] of FAULTS.entries()) {
      const batch = 2 * i + 1;
      const fault = broker.faults.inject({ api, action });
      // Who knows the coordinator already does not ask.
      const other = api === 'FindCoordinator' ? clientOf(broker, { requestTimeoutMs: 400 }).kafka : kafka;
      await untilDone(other, 'sink', batch, [`a${batch}`, `b${batch}`]);
      expect([name, fault.hits]).toEqual([name, 1]);
      await untilDone(kafka, 'sink', batch + 1, [`a${batch + 1}`, `b${batch + 1}`]);
      // What lingers has come.
      if (action.kind === 'late') await systemClock.sleep(action.delayMs * 2);
      const expected = Array.from({ length: batch + 2 }, (_, b) => [`a${b}`, `b${b}`]).flat();
      expect([name, await committedValues(kafka)]).toEqual([name, expected]);
      expect([name, isStable(broker)]).toEqual([name, true]);
    }
  });
});

describe('a transactional producer', () => {
  const lost = { kind: 'close', when: 'after' } as const;

  it.each([
    ['AddPartitionsToTxn', (p: TransactionalProducer) => p.send(TP.topic, record('a'))],
    ['Produce', (p: TransactionalProducer) => p.send(TP.topic, record('a'))],
    ['AddOffsetsToTxn', (p: TransactionalProducer) => p.sendOffsets('g', [{ ...PROGRESS, offset: 1 }])],
    ['TxnOffsetCommit', (p: TransactionalProducer) => p.sendOffsets('g', [{ ...PROGRESS, offset: 1 }])],
  ] as const)(
    'does not know when the answer to %s is lost, and goes on only by an init',
    async (api, step) => {
      const { broker, kafka } = await world();
      const producer = await begun({ broker, kafka });
      broker.faults.inject({ api, action: lost });
      expect(await endOfRun(step(producer) as Promise<unknown>)).toBe('TRANSACTION_UNKNOWN');
      expect(producer.state).toBe('UNKNOWN');
      const begin = async () => producer.begin();
      const steps = [() => step(producer), () => producer.commit(), () => producer.abort(), begin];
      for (const next of steps) {
        expect(await endOfRun((async () => next())())).toBe('TRANSACTION_UNKNOWN');
      }
      await producer.init();
      producer.begin();
      await producer.send(TP.topic, record('b'));
      await producer.commit();
      expect(await committedValues(kafka)).toEqual(['b']);
      expect(isStable(broker)).toBe(true);
    },
  );

  it('sends a batch again with its numbers when the leader refuses it, and it is written once', async () => {
    const { broker, kafka } = await world(10_000);
    const producer = await begun({ broker, kafka });
    broker.faults.inject({ api: 'Produce', topic: TP.topic, action: { kind: 'changeLeader' } });
    const codes = [
      KAFKA_ERROR.NOT_ENOUGH_REPLICAS,
      KAFKA_ERROR.REQUEST_TIMED_OUT,
      KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER,
    ];
    await producer.send(TP.topic, record('a'));
    for (const code of codes) broker.faults.inject({ api: 'Produce', action: { kind: 'error', code } });
    await producer.send(TP.topic, record('b'));
    await producer.commit();
    expect(await committedValues(kafka)).toEqual(['a', 'b']);
  });

  it('can only abort when the leader refuses a batch until the deadline, and goes on under the same epoch', async () => {
    const { broker, kafka } = await world(300);
    const producer = await begun({ broker, kafka });
    const code = KAFKA_ERROR.NOT_ENOUGH_REPLICAS;
    const fault = broker.faults.inject({ api: 'Produce', times: Infinity, action: { kind: 'error', code } });
    expect(await endOfRun(producer.send(TP.topic, record('a')))).toBe('NOT_ENOUGH_REPLICAS');
    expect(producer.state).toBe('ABORTABLE');
    fault.remove();
    await producer.abort();
    producer.begin();
    await producer.send(TP.topic, record('b'));
    await producer.commit();
    expect(await committedValues(kafka)).toEqual(['b']);
  });

  it('does not know when the leader may have written a batch that it refused until the deadline', async () => {
    const { broker, kafka } = await world(300);
    const producer = await begun({ broker, kafka });
    const code = KAFKA_ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND;
    broker.faults.inject({ api: 'Produce', times: Infinity, action: { kind: 'error', code } });
    expect(await endOfRun(producer.send(TP.topic, record('a')))).toBe('TRANSACTION_UNKNOWN');
  });

  it('waits before it ends a transaction for what is on its way, and sends nothing of it afterwards', async () => {
    const { broker, kafka } = await world(10_000);
    const producer = await begun({ broker, kafka });
    broker.faults.inject({ api: 'Produce', action: { kind: 'delay', delayMs: 100 } });
    const sends = ['a', 'b', 'c'].map((value) => endOfRun(producer.send(TP.topic, record(value))));
    await producer.commit();
    expect(await Promise.all(sends)).toEqual(['complete', 'complete', 'complete']);
    expect(await committedValues(kafka)).toEqual(['a', 'b', 'c']);
    producer.begin();
    const slow = broker.faults.inject({ api: 'Produce', action: { kind: 'delay', delayMs: 100 } });
    const begunSends = ['d', 'e', 'f'].map((value) => endOfRun(producer.send(TP.topic, record(value))));
    await until('a batch that is on its way', () => slow.hits === 1, 5_000, 2);
    await producer.abort();
    const end = broker.offsets(TP).logEndOffset;
    expect((await Promise.all(begunSends)).slice(1)).not.toContain('complete');
    expect(broker.offsets(TP).logEndOffset).toBe(end);
    expect(await committedValues(kafka)).toEqual(['a', 'b', 'c']);
  });

  it('waits while the markers of its transaction before are written (CONCURRENT_TRANSACTIONS)', async () => {
    const { broker, kafka } = await world(10_000);
    const producer = await begun({ broker, kafka });
    broker.faults.inject({ api: 'WriteTxnMarkers', times: 2, action: { kind: 'delay', delayMs: 200 } });
    await producer.send(TP.topic, record('a'));
    await producer.commit();
    expect(isStable(broker)).toBe(false);
    expect(await committedValues(kafka)).toEqual([]);
    producer.begin();
    await producer.send(TP.topic, record('b'));
    expect(await committedValues(kafka)).toEqual(['a']);
    await producer.commit();
    await producer.init();
    expect(await committedValues(kafka)).toEqual(['a', 'b']);
  });

  it('reads progress only when a commit before has reached it', async () => {
    const { broker, kafka } = await world(10_000);
    broker.faults.inject({ api: 'WriteTxnMarkers', action: { kind: 'delay', delayMs: 200 } });
    broker.faults.inject({ api: 'EndTxn', action: lost });
    expect(await untilDone(kafka, 'sink', 0, ['a'])).toEqual(['TRANSACTION_UNKNOWN']);
    expect(await committedValues(kafka)).toEqual(['a']);
  });

  it('tells an abort that is refused as unknown, and one that is fenced as fenced', async () => {
    const { broker, kafka } = await world(300);
    for (const [code, state] of [
      [KAFKA_ERROR.TRANSACTION_ABORTABLE, 'UNKNOWN'],
      [KAFKA_ERROR.INVALID_TXN_STATE, 'UNKNOWN'],
      [KAFKA_ERROR.PRODUCER_FENCED, 'FENCED'],
      [KAFKA_ERROR.INVALID_PRODUCER_EPOCH, 'FENCED'],
      [KAFKA_ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'FATAL'],
    ] as const) {
      const producer = await begun({ broker, kafka });
      await producer.send(TP.topic, record('a'));
      broker.faults.inject({ api: 'EndTxn', action: { kind: 'error', code } });
      expect(await endOfRun(producer.abort())).not.toBe('complete');
      expect(producer.state).toBe(state);
    }
  });

  it('is UNKNOWN after an init without an end, and begins again when Kafka is back', async () => {
    const { broker, kafka } = await world(300);
    const producer = kafka.transactionalProducer({ transactionalId: 'tx', transactionTimeoutMs: 1000 });
    const code = KAFKA_ERROR.COORDINATOR_NOT_AVAILABLE;
    const api = 'InitProducerId';
    const fault = broker.faults.inject({ api, times: Infinity, action: { kind: 'error', code } });
    expect(await endOfRun(producer.init())).toBe('KAFKA_PROTOCOL');
    expect(producer.state).toBe('UNKNOWN');
    fault.remove();
    await producer.init();
    expect(producer.state).toBe('READY');
  });
});

describe('a late commit', () => {
  const late = { api: 'EndTxn', action: { kind: 'late', delayMs: 150 } } as const;

  it('of an older attempt does not end the transaction of the next one', async () => {
    const { broker, kafka } = await world();
    broker.faults.inject(late);
    expect(await endOfRun(attempt(kafka, 'sink', 0, ['a']))).toBe('TRANSACTION_UNKNOWN');
    const next = await begun({ broker, kafka }, 'sink');
    await next.send(TP.topic, record('b'));
    await systemClock.sleep(250);
    expect(await committedValues(kafka)).toEqual([]);
    await next.send(TP.topic, record('c'));
    await next.commit();
    expect(await committedValues(kafka)).toEqual(['b', 'c']);
  });

  it('tears the next transaction of a producer that goes on without an init (KIP-890): what the init is for', async () => {
    const { broker, kafka } = await world();
    let raw = await RawClient.connect(coordinatorAddress(broker, 'raw'));
    const { producerId, producerEpoch } = await raw.send<{ producerId: number; producerEpoch: number }>(
      'InitProducerId',
      4,
      { transactionalId: 'raw', transactionTimeoutMs: 60_000, producerId: -1, producerEpoch: -1 },
    );
    const by = { transactionalId: 'raw', producerId, producerEpoch };
    const leader = await RawClient.connect(broker.brokers.split(',')[0] as string);
    const write = async (sequence: number, value: string) => {
      const topics = [{ name: TP.topic, partitions: [0] }];
      await raw.send('AddPartitionsToTxn', 3, { ...by, topics });
      const producer = { id: BigInt(producerId), epoch: producerEpoch, sequence };
      const records = encodeRecordBatch([{ value }], { now: 1, transactional: true, producer });
      const partitions = [{ index: 0, records }];
      const request = { transactionalId: 'raw', acks: -1, timeoutMs: 1000 };
      const answer = await leader.send('Produce', 8, {
        ...request,
        topics: [{ name: TP.topic, partitions }],
      });
      expect(answer).toMatchObject({ topics: [{ partitions: [{ errorCode: 0 }] }] });
    };
    await write(0, 'a');
    broker.faults.inject(late);
    raw.post('EndTxn', 3, { ...by, committed: true });
    await raw.closed();
    raw = await RawClient.connect(coordinatorAddress(broker, 'raw'));
    expect(await raw.send('EndTxn', 3, { ...by, committed: true })).toMatchObject({ errorCode: 0 });
    await write(1, 'half of b');
    await until('the late commit', async () => (await committedValues(kafka)).length > 1);
    expect(await committedValues(kafka)).toEqual(['a', 'half of b']);
    raw.close();
    leader.close();
  });
});

function coordinatorAddress(broker: DevBroker, transactionalId: string): string {
  const nodes = broker.brokers.split(',').map((address, id) => {
    const [host = '', port] = address.split(':');
    return { id, host, port: Number(port) };
  });
  const { host, port } = coordinatorOf({ nodes }, transactionalId);
  return `${host}:${port}`;
}
