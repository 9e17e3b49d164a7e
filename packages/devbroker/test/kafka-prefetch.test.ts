import { describe, expect, it } from '@jest/globals';
import type { KafkaClient, OffsetRange, PartitionReader } from '@millrace/kafka';
import { until } from '../../../test/support/until.ts';
import type { DevBroker, InjectedFault } from '../src/index.ts';
import { brokerWithTopic, clientOf, closeAfterEach, numbers, produce, TP } from './fault-kit.ts';

closeAfterEach();

const range = (fromOffset: number, untilOffset: number): OffsetRange => ({ ...TP, fromOffset, untilOffset });

async function filled(): Promise<{ broker: DevBroker; kafka: KafkaClient; reader: PartitionReader }> {
  const broker = await brokerWithTopic();
  const { kafka } = clientOf(broker);
  await produce(kafka, numbers(0, 100));
  return { broker, kafka, reader: kafka.reader(TP) };
}

/** Counts the fetches that arrive, and holds each for a moment. */
const counted = (broker: DevBroker): InjectedFault =>
  broker.faults.inject({ api: 'Fetch', times: Infinity, action: { kind: 'delay', delayMs: 20 } });

async function valuesOf(reader: PartitionReader, wanted: OffsetRange): Promise<(string | null)[]> {
  const values: (string | null)[] = [];
  for await (const columns of reader.read(wanted))
    for (let i = 0; i < columns.n; i++) values.push(columns.valueString(i));
  return values;
}

describe('a range that is fetched ahead', () => {
  it('is read without another fetch', async () => {
    const { broker, reader } = await filled();
    const fetches = counted(broker);
    reader.prefetch(range(10, 60));
    reader.prefetch(range(10, 60));
    await until('the fetch', () => fetches.hits === 1, 5_000, 2);
    expect(await valuesOf(reader, range(10, 60))).toEqual(numbers(10, 60));
    expect(fetches.hits).toBe(1);
    // It was for one read.
    expect(await valuesOf(reader, range(10, 60))).toEqual(numbers(10, 60));
    expect(fetches.hits).toBe(2);
    await reader.close();
  });

  it('is of no use to another range, nor in its way', async () => {
    const { reader } = await filled();
    reader.prefetch(range(0, 50));
    expect(await valuesOf(reader, range(50, 100))).toEqual(numbers(50, 100));
    reader.prefetch(range(0, 50));
    expect(await valuesOf(reader, range(0, 40))).toEqual(numbers(0, 40));
    await reader.close();
  });

  it('is not held in memory as a whole when it is large', async () => {
    const { broker, kafka, reader } = await filled();
    const large = Array.from({ length: 700 }, (_, i) => `${i}`.padEnd(1_000, '.'));
    await produce(kafka, large, 50);
    const fetches = counted(broker);
    reader.prefetch(range(100, 800));
    expect(await valuesOf(reader, range(100, 800))).toEqual(large);
    expect(fetches.hits).toBeGreaterThan(1);
    await reader.close();
  });

  it('is fetched again by the read when the fetch ahead failed', async () => {
    const { broker, reader } = await filled();
    // OFFSET_OUT_OF_RANGE: not one that a fetch tries again.
    const fault = broker.faults.inject({ api: 'Fetch', times: 1, action: { kind: 'error', code: 1 } });
    reader.prefetch(range(0, 100));
    await until('the fault', () => fault.hits === 1, 5_000, 2);
    expect(await valuesOf(reader, range(0, 100))).toEqual(numbers(0, 100));
    await reader.close();
  });

  it('is let go when its reader is closed, and never fetched by a closed one', async () => {
    const { broker, reader } = await filled();
    const fetches = counted(broker);
    reader.prefetch(range(0, 100));
    await until('the fetch', () => fetches.hits === 1, 5_000, 2);
    await reader.close();
    reader.prefetch(range(0, 100));
    await expect(valuesOf(reader, range(0, 100))).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(fetches.hits).toBe(1);
  });

  it('is nothing when it is empty', async () => {
    const { broker, reader } = await filled();
    const fetches = counted(broker);
    reader.prefetch(range(7, 7));
    expect(await valuesOf(reader, range(7, 7))).toEqual([]);
    expect(fetches.hits).toBe(0);
    await reader.close();
  });
});
