import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import type { KafkaClient, RecordStream, RecordStreamOptions } from '@millrace/kafka';
import type { FaultRule } from '../src/index.ts';
import { brokerWithTopic, clientOf, closeAfterEach, endOfRun, numbers, read, TP } from './fault-kit.ts';

closeAfterEach();

const OPTIONS: RecordStreamOptions = { deliveryTimeoutMs: 10_000, bufferBytesMax: 4_000, firstPartition: 0 };
/** Many batches of few records. */
const SMALL = { produceBatchBytesMax: 1_000, produceBatchRecordsMax: 10 };

async function pour(stream: RecordStream, values: readonly string[]): Promise<void> {
  for (const value of values) {
    stream.append(TP.topic, null, value, 0, undefined, []);
    if (stream.isFull) await stream.ready();
  }
  await stream.finish();
}

async function written(kafka: KafkaClient): Promise<readonly (string | null)[]> {
  const end = [...(await kafka.listOffsets([TP], 'latest')).values()][0]?.offset ?? -1;
  return (await read(kafka, { fromOffset: 0, untilOffset: end })).values;
}

describe('a record stream', () => {
  const rules: Readonly<Record<string, Omit<FaultRule, 'api'>>> = {
    'leaders that move': { every: 2, times: 6, action: { kind: 'changeLeader' } },
    'connections that close before the work': { every: 3, times: 4, action: { kind: 'close' } },
    'connections that close after the work': { every: 3, times: 4, action: { kind: 'close', when: 'after' } },
    'late answers': { every: 5, times: 2, action: { kind: 'delay', delayMs: 150 } },
    NOT_ENOUGH_REPLICAS: { every: 4, times: 3, action: { kind: 'error', code: 19 } },
    'batches that are too large': { every: 4, times: 2, action: { kind: 'error', code: 10 } },
  };
  for (const [name, rule] of Object.entries(rules)) {
    it(`writes every record once and in order through ${name}`, async () => {
      const broker = await brokerWithTopic({ nodes: 2 });
      const { kafka } = clientOf(broker, SMALL);
      const fault = broker.faults.inject({ ...rule, api: 'Produce' });
      const stream = kafka.producer().stream(OPTIONS);
      await pour(stream, numbers(0, 300));
      expect({ hits: fault.hits, records: stream.records }).toEqual({ hits: rule.times, records: 300 });
      expect(await written(kafka)).toEqual(numbers(0, 300));
    });
  }

  it('waits for brokers that are away longer than a connection may take, and then goes on', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker, { ...SMALL, connectionTimeoutMs: 200 });
    await pour(kafka.producer().stream(OPTIONS), ['before']);
    const away = [
      broker.faults.inject({ api: 'Produce', times: 1000, action: { kind: 'close' } }),
      broker.faults.inject({ api: 'Metadata', times: 1000, action: { kind: 'close' } }),
    ];
    const pouring = pour(kafka.producer().stream(OPTIONS), numbers(0, 50));
    await sleep(1_000);
    for (const fault of away) fault.remove();
    await pouring;
    expect(await written(kafka)).toEqual(['before', ...numbers(0, 50)]);
  });

  it('ends at its deadline, or after so many retries, with the topic and partition', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker);
    const fault = broker.faults.inject({ api: 'Produce', times: 1000, action: { kind: 'error', code: 19 } });
    const failure = await pour(kafka.producer().stream({ ...OPTIONS, deliveryTimeoutMs: 300 }), ['x']).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(MillraceError.is(failure) && { code: failure.code, details: failure.details }).toMatchObject({
      code: 'NOT_ENOUGH_REPLICAS',
      details: { topic: 't', partition: 0 },
    });
    const before = fault.hits;
    const few = pour(kafka.producer().stream({ ...OPTIONS, retriesMax: 2 }), ['x']);
    expect(await endOfRun(few)).toBe('NOT_ENOUGH_REPLICAS');
    expect(fault.hits - before).toBe(3);
  });

  it('writes nothing more after a failure, an abort, or its signal', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker, SMALL);
    broker.faults.inject({ api: 'Produce', after: 2, action: { kind: 'error', code: 29 } });
    const failed = kafka.producer().stream({ ...OPTIONS, bufferBytesMax: 1_000_000 });
    expect(await endOfRun(pour(failed, numbers(0, 200)))).toBe('KAFKA_AUTH');
    await failed.abort();
    expect(await written(kafka)).toEqual(numbers(0, 20));
    for (const value of numbers(0, 15, 'a')) failed.append(TP.topic, null, value, 0, undefined, []);
    expect(await endOfRun(failed.finish())).toBe('KAFKA_AUTH');

    const kill = new AbortController();
    const killed = kafka.producer().stream({ ...OPTIONS, signal: kill.signal });
    killed.append(TP.topic, null, 'k', 0, undefined, []);
    kill.abort(new MillraceError('TASK_KILLED', 'enough'));
    expect(await endOfRun(killed.finish())).toBe('TASK_KILLED');
    await killed.abort();
    expect(await written(kafka)).toEqual(numbers(0, 20));
  });

  it('holds no more than its buffer while a broker is slow', async () => {
    const broker = await brokerWithTopic();
    const { kafka } = clientOf(broker, SMALL);
    const slow = broker.faults.inject({
      api: 'Produce',
      times: 1000,
      action: { kind: 'delay', delayMs: 100 },
    });
    const stream = kafka.producer().stream(OPTIONS);
    const value = 'x'.repeat(80);
    let appended = 0;
    const pouring = (async () => {
      for (; appended < 400; appended++) {
        stream.append(TP.topic, null, value, 0, undefined, []);
        if (stream.isFull) await stream.ready();
      }
      await stream.finish();
    })();
    await sleep(250);
    // What is acknowledged, and at most the buffer and the batch that overflowed it.
    expect(appended - stream.records).toBeLessThanOrEqual((OPTIONS.bufferBytesMax + 1_000) / 80);
    slow.remove();
    await pouring;
    expect(stream.records).toBe(400);
  });
});
