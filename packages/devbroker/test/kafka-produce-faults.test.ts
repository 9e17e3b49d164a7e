import { describe, expect, it } from '@jest/globals';
import { seededRandom, withDeadline } from '@millrace/common';
import type { KafkaClient } from '@millrace/kafka';
import type { FaultAction, FaultRule } from '../src/index.ts';
import {
  brokerWithTopic,
  clientOf,
  closeAfterEach,
  endOfRun,
  numbers,
  produce,
  read,
  TP,
} from './fault-kit.ts';

closeAfterEach();

async function written(kafka: KafkaClient): Promise<readonly (string | null)[]> {
  const end = [...(await kafka.listOffsets([TP], 'latest')).values()][0]?.offset ?? -1;
  const { values } = await read(kafka, { fromOffset: 0, untilOffset: end });
  return values;
}

describe('a producer', () => {
  // Nothing was written by these: a retry does not repeat a record.
  const before: Readonly<Record<string, Omit<FaultRule, 'api'>>> = {
    'leaders that move': { every: 2, times: 6, action: { kind: 'changeLeader' } },
    'connections that close before the work': { every: 3, times: 4, action: { kind: 'close' } },
    'late answers': { every: 5, times: 2, action: { kind: 'delay', delayMs: 150 } },
    UNKNOWN_TOPIC_OR_PARTITION: { every: 4, times: 3, action: { kind: 'error', code: 3 } },
    LEADER_NOT_AVAILABLE: { every: 4, times: 3, action: { kind: 'error', code: 5 } },
    NOT_LEADER_OR_FOLLOWER: { every: 4, times: 3, action: { kind: 'error', code: 6 } },
    NOT_ENOUGH_REPLICAS: { every: 4, times: 3, action: { kind: 'error', code: 19 } },
    KAFKA_STORAGE_ERROR: { every: 4, times: 3, action: { kind: 'error', code: 56 } },
    FENCED_LEADER_EPOCH: { every: 4, times: 3, action: { kind: 'error', code: 74 } },
  };
  for (const [name, rule] of Object.entries(before)) {
    it(`writes every record once and in order through ${name}`, async () => {
      const broker = await brokerWithTopic({ nodes: 2 });
      const { kafka } = clientOf(broker);
      const fault = broker.faults.inject({ ...rule, api: 'Produce' });
      // Without waiting for each other: the order holds across sends.
      await Promise.all([
        produce(kafka, numbers(0, 100)),
        produce(kafka, numbers(0, 100, 'w')),
        ...numbers(0, 20, 'x').map(async (value) => kafka.producer().send('t', [{ value, partition: 0 }])),
      ]);
      expect(fault.hits).toBe(rule.times);
      const values = await written(kafka);
      expect(values).toHaveLength(220);
      for (const [prefix, until] of [
        ['v', 100],
        ['w', 100],
        ['x', 20],
      ] as const)
        expect(values.filter((value) => value?.startsWith(prefix))).toEqual(numbers(0, until, prefix));
    });
  }

  it('halves batches that the broker finds too large', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    broker.faults.inject({ api: 'Produce', times: 3, action: { kind: 'error', code: 10 } });
    await produce(kafka, numbers(0, 40), 20);
    expect(await written(kafka)).toEqual(numbers(0, 40));
  });

  for (const when of ['after', 'midway'] as const) {
    const lost: Omit<FaultRule, 'api'> = { every: 3, times: 3, action: { kind: 'close', when } };

    it(`writes every record once when the acknowledgement is lost (closed ${when})`, async () => {
      const broker = await brokerWithTopic({ nodes: 2 });
      const { kafka } = clientOf(broker);
      const fault = broker.faults.inject({ ...lost, api: 'Produce' });
      await produce(kafka, numbers(0, 100));
      expect(await written(kafka)).toEqual(numbers(0, 100));
      expect(fault.hits).toBe(3);
    });

    it(`loses nothing, but repeats, when it is not idempotent (closed ${when})`, async () => {
      for (const given of [{ idempotent: false }, { acks: 1 }]) {
        const broker = await brokerWithTopic();
        const { kafka } = clientOf(broker, given);
        broker.faults.inject({ ...lost, api: 'Produce' });
        await produce(kafka, numbers(0, 100));
        const values = await written(kafka);
        expect([...new Set(values)]).toEqual(numbers(0, 100));
        expect(values).toHaveLength(130);
      }
    });
  }

  // OUT_OF_ORDER_SEQUENCE_NUMBER, INVALID_PRODUCER_EPOCH, UNKNOWN_PRODUCER_ID
  for (const code of [45, 47, 59]) {
    it(`goes on under a new identity when the broker lost track of its batches (error ${code})`, async () => {
      const broker = await brokerWithTopic();
      const { kafka } = clientOf(broker);
      broker.faults.inject({ api: 'Produce', after: 2, times: 2, action: { kind: 'error', code } });
      await produce(kafka, numbers(0, 50));
      expect(await written(kafka)).toEqual(numbers(0, 50));
    });
  }

  it('writes a send that comes after one that failed, whatever became of that', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker, { requestTimeoutMs: 400 });
    await produce(kafka, ['a']);
    // Written, but nobody hears of it.
    const fault = broker.faults.inject({
      api: 'Produce',
      times: Infinity,
      action: { kind: 'drop', when: 'after' },
    });
    expect(await endOfRun(produce(kafka, ['b']))).toBe('KAFKA_UNREACHABLE');
    fault.remove();
    await produce(kafka, ['c', 'd'], 1);
    expect(await written(kafka)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('numbers batches of the same partition that were sent in other ways apart', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    for (const [i, acks] of ([-1, 1, -1, 0, -1] as const).entries())
      await kafka.producer().send('t', [{ value: `v${i}`, partition: 0 }], { acks });
    expect(await written(kafka)).toEqual(numbers(0, 5));
  });

  it('waits for an identity, and tells when it may not have one', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    // COORDINATOR_LOAD_IN_PROGRESS, then CLUSTER_AUTHORIZATION_FAILED
    broker.faults.inject({ api: 'InitProducerId', times: 2, action: { kind: 'error', code: 14 } });
    await produce(kafka, ['a']);
    broker.faults.inject({ api: 'InitProducerId', action: { kind: 'error', code: 31 } });
    expect(await endOfRun(produce(clientOf(broker).kafka, ['b']))).toBe('KAFKA_AUTH');
    expect(await written(kafka)).toEqual(['a']);
  });

  it('writes to a partition that is new', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    await produce(kafka, ['a']);
    expect(await endOfRun(kafka.producer().send('t', [{ value: 'b', partition: 1 }]))).toBe(
      'UNKNOWN_PARTITION',
    );
    broker.createPartitions('t', 2);
    expect(await kafka.producer().send('t', [{ value: 'b', partition: 1 }])).toEqual([
      { topic: 't', partition: 1, baseOffset: 0, records: 1 },
    ]);
  });

  it('refuses acks and compressions that there are not', async () => {
    const { kafka } = clientOf(await brokerWithTopic());
    for (const given of [{ acks: 5 }, { compression: 'brotli' }])
      expect(await endOfRun(kafka.producer().send('t', [{ value: 'x' }], given as object))).toBe(
        'BAD_REQUEST',
      );
  });

  const lasting: ReadonlyArray<readonly [string, FaultAction, string]> = [
    ['NOT_LEADER_OR_FOLLOWER', { kind: 'error', code: 6 }, 'LEADER_CHANGED'],
    ['NOT_ENOUGH_REPLICAS', { kind: 'error', code: 19 }, 'NOT_ENOUGH_REPLICAS'],
    ['INVALID_RECORD', { kind: 'error', code: 87 }, 'KAFKA_PROTOCOL'],
    ['TOPIC_AUTHORIZATION_FAILED', { kind: 'error', code: 29 }, 'KAFKA_AUTH'],
    ['MESSAGE_TOO_LARGE', { kind: 'error', code: 10 }, 'RECORD_TOO_LARGE'],
    ['no answer', { kind: 'drop' }, 'KAFKA_UNREACHABLE'],
    ['connections that close', { kind: 'close' }, 'KAFKA_UNREACHABLE'],
  ];
  for (const [name, action, code] of lasting) {
    it(`ends in ${code} within its time when ${name} lasts, and writes nothing later`, async () => {
      const broker = await brokerWithTopic();
      const { kafka } = clientOf(broker, { requestTimeoutMs: 600 });
      const fault = broker.faults.inject({ api: 'Produce', times: Infinity, action });
      const began = performance.now();
      expect(await endOfRun(produce(kafka, ['a', 'b']))).toBe(code);
      expect(performance.now() - began).toBeLessThan(2000);
      fault.remove();
      await produce(kafka, ['c']);
      expect(await written(kafka)).toEqual(['c']);
    });
  }

  it('keeps to the throttle time that the broker tells', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    broker.faults.inject({ api: 'Produce', times: 2, action: { kind: 'throttle', throttleMs: 250 } });
    const began = performance.now();
    await produce(kafka, numbers(0, 30));
    expect(performance.now() - began).toBeGreaterThan(480);
    expect(await written(kafka)).toEqual(numbers(0, 30));
  });

  it('is not held up by a broker that hangs when asked for metadata', async () => {
    const broker = await brokerWithTopic({ nodes: 2 });
    const { kafka } = clientOf(broker, { requestTimeoutMs: 1500 });
    broker.faults.inject({ api: 'Metadata', nodeId: 1, times: Infinity, action: { kind: 'drop' } });
    await produce(kafka, numbers(0, 10));
    expect(await written(kafka)).toEqual(numbers(0, 10));
  });
});

describe('reads and sends under many faults', () => {
  const KINDS: ReadonlyArray<readonly [FaultAction, number]> = [
    [{ kind: 'close' }, 0.05],
    [{ kind: 'close', when: 'after' }, 0.03],
    [{ kind: 'close', when: 'midway' }, 0.03],
    [{ kind: 'delay', delayMs: 20 }, 0.05],
    [{ kind: 'changeLeader' }, 0.05],
    [{ kind: 'error', code: 6 }, 0.05],
    [{ kind: 'throttle', throttleMs: 10 }, 0.03],
  ];
  for (let seed = 1; seed <= 4; seed++) {
    it(`lose nothing, repeat nothing and tell no wrong offset (seed ${seed})`, async () => {
      const broker = await brokerWithTopic({ nodes: 3 });
      const { kafka } = clientOf(broker, {
        fetchBytesMax: 1,
        fetchTimeoutMs: 20_000,
        requestTimeoutMs: 20_000,
      });
      const random = seededRandom(seed);
      for (const [action, probability] of KINDS)
        broker.faults.inject({ action, probability, random, times: Infinity });
      const chaos = async (): Promise<void> => {
        const ranges = [];
        for (let i = 0; i < 40; i++) {
          const records = numbers(i * 5, i * 5 + 5).map((value) => ({ value, partition: 0 }));
          ranges.push(...(await kafka.producer().send('t', records)));
        }
        const { values, end } = await read(kafka, {
          fromOffset: 0,
          untilOffset: broker.offsets(TP).logEndOffset,
        });
        expect(end).toBe('complete');
        expect(values).toEqual(numbers(0, 200));
        // What was acknowledged stands where the producer was told.
        const told = ranges.flatMap(({ baseOffset, records }) =>
          values.slice(baseOffset, baseOffset + records),
        );
        expect(told).toEqual(numbers(0, 200));
      };
      await withDeadline(chaos(), 50_000, 'chaos');
    });
  }
});
