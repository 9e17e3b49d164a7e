import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import type { AccumulatorUpdates } from '@millrace/api/internal';
import { IN_MEMORY } from './task-storage.ts';
import { columns, failure, op, run, type Setup, stream } from './testing/pipeline-setup.ts';

const JSON_VALUE = { name: 'json', nullable: false } as const;
const input = () => stream(columns(['1', '{"broken', '3']), columns([null, '5'], 3));

/** Runs with a counter. */
async function counted(setup: Setup): Promise<readonly [unknown, unknown]> {
  const accumulators: AccumulatorUpdates = new Map();
  const result = await run({
    input: input(),
    value: JSON_VALUE,
    ...setup,
    accumulators,
    undecodable: 'sum:7',
  });
  return [result, accumulators.get('sum:7')];
}

describe('a record that does not decode', () => {
  it('fails the task with its topic, partition and offset, by default', async () => {
    const operators = [op('map', [({ value }: { value: unknown }) => value])];
    const error = await failure({
      input: input(),
      value: JSON_VALUE,
      operators,
      action: { kind: 'collect' },
    });
    expect(error).toMatchObject({
      code: 'VALUE_DECODE',
      details: { topic: 'views', partition: 3, offset: 12, what: 'value' },
      remedy: expect.stringMatching(/onDecodeError.*'skip'.*deadLetterTopic.*millrace offsets set/),
    });
  });

  it('fails a map task in the same way: it is read when its row is written', async () => {
    const operators = [op('keyBy', [() => 1])];
    const partitioner = { kind: 'hash', partitions: 1 };
    const action = { kind: 'shuffleWrite', value: serialize({ directory: 'd', partitioner }) };
    const storage = { ...IN_MEMORY, memoryBytesMax: 1e6 };
    const error = await failure({ input: input(), value: JSON_VALUE, operators, action, storage });
    expect(error).toMatchObject({ code: 'VALUE_DECODE', details: { offset: 12, what: 'value' } });
  });

  it('is left out and counted when it is to be skipped, whatever the operators are', async () => {
    const value = ({ value: each }: { value: number }) => each;
    const values = op('map', [value]);
    expect(await counted({ operators: [values], action: { kind: 'collect' } })).toEqual([[1, 3, 5], 2]);
    const doubled = op('flatMap', [(row: { value: number }) => [row.value, row.value]]);
    expect(await counted({ operators: [doubled], action: { kind: 'collect' } })).toEqual([
      [1, 1, 3, 3, 5, 5],
      2,
    ]);
    const partitions = op('mapPartitions', [
      async function* (rows: AsyncIterable<{ value: number }>) {
        for await (const row of rows) yield row.value;
      },
    ]);
    expect(await counted({ operators: [partitions], action: { kind: 'collect' } })).toEqual([[1, 3, 5], 2]);
  });

  it('is not counted as a record by count(), which looks at no value', async () => {
    expect(await counted({ action: { kind: 'count' } })).toEqual([3, 2]);
    expect(await run({ input: input(), value: JSON_VALUE, action: { kind: 'count' } })).toBe(5);
  });

  it('is skipped when its null value, or what its own decoder throws, is the reason; other errors fail', async () => {
    const custom = { name: 'custom', nullable: false } as const;
    const valueDecode = (bytes: Uint8Array) => {
      if (bytes.length !== 1) throw new RangeError('too long');
      return String(bytes[0]);
    };
    expect(await counted({ value: custom, valueDecode, action: { kind: 'count' } })).toEqual([3, 2]);
    const throws = op('map', [
      () => {
        throw new Error('a lambda');
      },
    ]);
    const action = { kind: 'collect' } as const;
    const error = await failure({
      input: input(),
      value: JSON_VALUE,
      operators: [throws],
      action,
      undecodable: 'sum:7',
    });
    expect(error.code).toBe('USER_CODE');
  });

  it('may be every record', async () => {
    const setup = { input: stream(columns(['x', 'y'])), operators: [op('map', [(row: unknown) => row])] };
    expect(await counted({ ...setup, action: { kind: 'collect' } })).toEqual([[], 2]);
  });
});
