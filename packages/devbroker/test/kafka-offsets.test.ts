import { describe, expect, it } from '@jest/globals';
import { systemClock } from '@millrace/common';
import { progressPlace, readProgress } from '@millrace/kafka';
import { until } from '../../../test/support/until.ts';
import { brokerWithTopic, clientOf, closeAfterEach, endOfRun, produce, TP } from './fault-kit.ts';

closeAfterEach();

describe('the offset of a timestamp', () => {
  it('never lies after a record that is as young and was written while the brokers were asked', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    await produce(kafka, ['old']);
    const now = Date.now() + 60_000;
    // The record comes before the second of the two answers.
    const late = broker.faults.inject({
      api: 'ListOffsets',
      after: 1,
      action: { kind: 'delay', delayMs: 300 },
    });
    const listing = kafka.listOffsets([TP], { timestamp: now });
    await clientOf(broker)
      .kafka.producer()
      .send(TP.topic, [{ value: 'young', partition: 0, timestamp: now }]);
    expect([...(await listing).values()].map(({ offset }) => offset)).toEqual([1]);
    expect(late.hits).toBe(1);
  });
});

describe('the end of a partition', () => {
  it('is told as soon as its election is over, however young the metadata are that know no leader', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker, { requestTimeoutMs: 20_000 });
    broker.changeLeader(TP, -1);
    const asked = broker.faults.inject({ api: 'Metadata', after: 2, action: { kind: 'delay', delayMs: 0 } });
    const listing = kafka.listOffsets([TP], 'latest');
    await until('questions for the leader', () => asked.hits > 0, 10_000);
    broker.changeLeader(TP);
    expect([...(await listing).values()].map(({ offset }) => offset)).toEqual([0]);
  });
});

describe('offsets of a group', () => {
  const commit = { ...TP, offset: 7 };

  it('survive coordinators that move, load and close', async () => {
    const broker = await brokerWithTopic({ nodes: 3 });
    const { kafka } = clientOf(broker);
    // COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR
    for (const code of [14, 15, 16]) {
      broker.faults.inject({ api: 'OffsetCommit', action: { kind: 'error', code } });
      broker.faults.inject({ api: 'OffsetFetch', action: { kind: 'error', code } });
      await kafka.commitOffsets('g', [{ ...commit, offset: code }]);
      expect((await kafka.committedOffsets('g', [TP])).get('t-0')?.offset).toBe(code);
    }
    broker.faults.inject({ api: 'OffsetCommit', action: { kind: 'close' } });
    await kafka.commitOffsets('g', [commit]);
    broker.faults.inject({ api: 'FindCoordinator', action: { kind: 'close' } });
    expect((await clientOf(broker).kafka.committedOffsets('g', [TP])).get('t-0')?.offset).toBe(7);
  });

  it('are waited for as long as is asked, while coordinators load, hang and are away', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker, { requestTimeoutMs: 200, connectionTimeoutMs: 200 });
    await kafka.commitOffsets('g', [commit]);
    const loading = broker.faults.inject({
      api: 'OffsetFetch',
      action: { kind: 'error', code: 14 },
      times: Number.POSITIVE_INFINITY,
    });
    await expect(kafka.committedOffsets('g', [TP])).rejects.toMatchObject({ retryable: true });
    const patient = kafka.committedOffsets('g', [TP], { timeoutMs: 20_000 });
    await systemClock.sleep(600);
    loading.remove();
    const hanging = broker.faults.inject({ api: 'OffsetFetch', action: { kind: 'drop' } });
    expect((await patient).get('t-0')?.offset).toBe(7);
    expect([loading.hits > 1, hanging.hits]).toEqual([true, 1]);
    const away = broker.faults.inject({
      api: 'FindCoordinator',
      action: { kind: 'close' },
      times: Number.POSITIVE_INFINITY,
    });
    const other = clientOf(broker, { requestTimeoutMs: 200, connectionTimeoutMs: 200 });
    const waiting = other.kafka.committedOffsets('g', [TP], { timeoutMs: 20_000 });
    await systemClock.sleep(600);
    expect(away.hits).toBeGreaterThan(0);
    away.remove();
    expect((await waiting).get('t-0')?.offset).toBe(7);
  });

  it('and transactions ask again when a broker that is asked for their coordinator hangs', async () => {
    const broker = await brokerWithTopic();
    const options = { requestTimeoutMs: 3_000, connectionTimeoutMs: 1_000 };
    await clientOf(broker, options).kafka.commitOffsets('g', [commit]);
    const hangs = () => broker.faults.inject({ api: 'FindCoordinator', action: { kind: 'drop' } });
    const ofGroup = hangs();
    const { kafka } = clientOf(broker, options);
    expect((await kafka.committedOffsets('g', [TP])).get('t-0')?.offset).toBe(7);
    const ofTransaction = hangs();
    const producer = kafka.transactionalProducer({
      transactionalId: 'tx',
      transactionTimeoutMs: 60_000,
    });
    await producer.init();
    expect([ofGroup.hits, ofTransaction.hits]).toEqual([1, 1]);
  });

  it('of a transaction that nobody decides say so, and what to do', async () => {
    const { kafka } = clientOf(
      await brokerWithTopic().then((broker) => {
        // UNSTABLE_OFFSET_COMMIT. There is no log of a coordinator that says more.
        broker.faults.inject({
          api: 'OffsetFetch',
          action: { kind: 'error', code: 88 },
          times: Number.POSITIVE_INFINITY,
        });
        return broker;
      }),
    );
    const place = progressPlace('millrace/app/out', 0);
    const producer = kafka.transactionalProducer({ ...place, transactionTimeoutMs: 60_000 });
    await producer.init();
    await expect(readProgress(kafka, producer, place, 3_000)).rejects.toMatchObject({
      code: 'TRANSACTION_UNKNOWN',
      retryable: true,
      what: expect.stringContaining('millrace/app/out/0'),
      remedy: expect.stringContaining('docs/delivery.md'),
    });
  });

  it('of such a transaction are decided at once, also when brokers go away meanwhile', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    const undecided = broker.faults.inject({
      api: 'OffsetFetch',
      action: { kind: 'error', code: 88 },
      times: Number.POSITIVE_INFINITY,
    });
    const reading = readProgress(
      kafka,
      {
        endAgain: async () => {
          undecided.remove();
          return true;
        },
      },
      progressPlace('millrace/app/out', 0),
      600_000,
    );
    await until('a first answer', () => undecided.hits > 0, 10_000);
    // For longer than it is waited for the decision.
    const away = broker.faults.inject({
      api: 'OffsetFetch',
      action: { kind: 'close' },
      times: Number.POSITIVE_INFINITY,
    });
    await systemClock.sleep(1_500);
    away.remove();
    expect(await reading).toBeUndefined();
    expect(away.hits).toBeGreaterThan(0);
  });

  it('are refused with a remedy while the group has live members', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    // UNKNOWN_MEMBER_ID: what a commit by no member gets then.
    broker.faults.inject({ api: 'OffsetCommit', action: { kind: 'error', code: 25 } });
    await expect(kafka.commitOffsets('g', [commit])).rejects.toMatchObject({
      code: 'KAFKA_PROTOCOL',
      retryable: false,
      remedy: expect.stringContaining('live members'),
    });
  });

  it('of a topic that does not exist are refused as such in time', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    expect(await endOfRun(kafka.commitOffsets('g', [{ ...commit, topic: 'gone' }]))).toBe('UNKNOWN_TOPIC');
    expect(await endOfRun(kafka.commitOffsets('g', [{ ...commit, offset: 2 ** 53 }]))).toBe('BAD_REQUEST');
  });
});

describe('topics', () => {
  const lost = { action: { kind: 'close', when: 'after' } } as const;

  it('are created, grown and deleted once when the answer is lost', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    const faults = (['CreateTopics', 'CreatePartitions', 'DeleteTopics'] as const).map((api) =>
      broker.faults.inject({ api, ...lost }),
    );
    await kafka.createTopic('u', { partitions: 2 });
    await kafka.createPartitions('u', 3);
    expect((await kafka.topics(['u']))[0]?.partitions).toHaveLength(3);
    await kafka.deleteTopic('u');
    expect(faults.map(({ hits }) => hits)).toEqual([1, 1, 1]);
    expect(await endOfRun(kafka.deleteTopic('u'))).toBe('UNKNOWN_TOPIC');
    await expect(kafka.createTopic(TP.topic, { partitions: 1 })).rejects.toThrow('TOPIC_ALREADY_EXISTS');
  });
});
