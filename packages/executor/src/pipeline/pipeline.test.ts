import { describe, expect, it } from '@jest/globals';
import type { RecordColumns } from '@millrace/kafka';
import { columns, failure, op, type Row, run, type Setup, stream } from './testing/pipeline-setup.ts';

describe('pipeline', () => {
  it('counts records without looking at them', async () => {
    expect(await run({ action: { kind: 'count' } })).toBe(4);
  });

  it('fuses element operators and keeps order', async () => {
    const operators = [
      op('map', [(r: Row) => `${r.key}=${r.value}@${r.offset}`]),
      op('filter', [(text: string) => !text.startsWith('k1')]),
      op('flatMap', [(text: string) => [text, text.length]]),
    ];
    expect(await run({ operators, action: { kind: 'collect' } })).toEqual(
      ['k0=a@10', 'k2=c@14', 'k3=d@16'].flatMap((text) => [text, text.length]),
    );
  });

  it('collects records as plain objects that pin nothing', async () => {
    const [record] = await run<Record<string, unknown>[]>({ action: { kind: 'take', numbers: [1] } });
    expect(record).toEqual({
      topic: 'views',
      partition: 3,
      offset: 10,
      timestamp: 1000,
      key: 'k0',
      value: 'a',
      headers: [],
    });
  });

  it('stops reading when take has enough', async () => {
    let asked = 0;
    async function* endless(): AsyncIterable<RecordColumns> {
      for (;;) {
        asked += 1;
        yield await Promise.resolve(columns(['x', 'y']));
      }
    }
    expect(await run<unknown[]>({ input: endless(), action: { kind: 'take', numbers: [3] } })).toHaveLength(
      3,
    );
    expect(asked).toBeLessThanOrEqual(2);
  });

  it('runs partition operators between fused loops, in order', async () => {
    const operators = [
      op('map', [(r: Row) => r.value]),
      op('mapPartitionsWithIndex', [
        async function* tag(partition: number, rows: AsyncIterable<string>) {
          for await (const row of rows) yield `${partition}${row}`;
        },
      ]),
      op('mapAsync', [async (text: string) => text.toUpperCase()], [2]),
      op('map', [(text: string) => `${text}!`]),
      op('glom', []),
    ];
    expect(await run({ operators, action: { kind: 'collect' } })).toEqual([['3A!', '3B!', '3C!', '3D!']]);
  });

  it('makes rows a few at a time, however many come of a fetch', async () => {
    const lengths: number[] = [];
    const operators = [
      op('flatMap', [(r: Row) => Array.from({ length: 1_000 }, (_, copy) => `${r.value}${copy}`)]),
      op('mapPartitions', [
        async function* count(rows: { chunks(): AsyncIterable<readonly string[]> }) {
          for await (const chunk of rows.chunks()) lengths.push(chunk.length);
          yield lengths.length;
        },
      ]),
    ];
    const values = Array.from({ length: 50 }, (_, row) => `${row}-`);
    await run({ input: stream(columns(values)), operators, action: { kind: 'collect' } });
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(50_000);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(5_000);
  });

  it('gives partition functions an empty partition, too', async () => {
    const operators = [op('mapPartitions', [() => ['only']])];
    expect(await run({ input: stream(), operators, action: { kind: 'collect' } })).toEqual(['only']);
    expect(await run({ input: stream(), operators: [op('glom', [])], action: { kind: 'collect' } })).toEqual([
      [],
    ]);
  });

  it('folds and aggregates from a fresh zero', async () => {
    const { serialize } = await import('node:v8');
    const push = (acc: string[], row: Row) => [...acc, row.value];
    const setup = { action: { kind: 'aggregate', value: serialize([]) }, functions: [push] };
    expect(await run(setup)).toEqual(['a', 'b', 'c', 'd']);
    expect(await run({ ...setup, input: stream() })).toEqual([]);
    expect(
      await run({ action: { kind: 'reduce' }, functions: [(a: Row, b: Row) => (a.value > b.value ? a : b)] }),
    ).toMatchObject([{ value: 'd', offset: 16 }]);
    expect(await run({ input: stream(), action: { kind: 'reduce' }, functions: [() => 1] })).toEqual([]);
  });

  it('keeps the smallest and the greatest rows', async () => {
    const operators = [op('map', [(r: Row) => r.offset])];
    expect(await run({ operators, action: { kind: 'takeOrdered', numbers: [2, 1] } })).toEqual([10, 12]);
    expect(await run({ operators, action: { kind: 'takeOrdered', numbers: [2, -1] } })).toEqual([16, 14]);
    expect(await run({ operators, action: { kind: 'takeOrdered', numbers: [0, 1] } })).toEqual([]);
  });

  it('counts equal tuples as one value', async () => {
    const operators = [op('map', [(r: Row) => [r.offset % 4, 'x']])];
    expect(await run({ operators, action: { kind: 'countByValue' } })).toEqual([
      [[2, 'x'], 2],
      [[0, 'x'], 2],
    ]);
  });

  it('samples the same rows in every attempt, in whatever batch and behind whatever operators', async () => {
    const values = Array.from({ length: 500 }, (_, i) => `${i}`);
    const setup = (seed: number): Setup => ({
      input: stream(columns(values)),
      operators: [op('sample', [], [0, 0.3, seed]), op('map', [(r: Row) => r.value])],
      action: { kind: 'collect' },
    });
    const first = await run<string[]>(setup(7));
    expect(await run(setup(7))).toEqual(first);
    expect(await run(setup(8))).not.toEqual(first);
    expect(await run({ ...setup(7), batchTime: 1_700_000_060_000 })).toEqual(first);
    const behind = [op('filter', [() => true]), ...(setup(7).operators ?? [])];
    expect(await run({ ...setup(7), operators: behind })).toEqual(first);
    expect(first.length).toBeGreaterThan(90);
    expect(first.length).toBeLessThan(210);
  });

  it('names topic, partition and offset when a lambda throws', async () => {
    const operators = [
      op('map', [
        (r: Row) => {
          if (r.value === 'c') throw new RangeError('no c');
          return r;
        },
      ]),
    ];
    const error = await failure({ operators, action: { kind: 'count' } });
    expect(error).toMatchObject({ code: 'USER_CODE', details: { topic: 'views', partition: 3, offset: 14 } });
    expect(error.message).toContain('at offset 14 of views-3: RangeError: no c');
  });

  it('refuses a Promise from an element function, and says where', async () => {
    const thenable = op('map', [(r: Row) => Promise.reject(new Error(r.value))]);
    const error = await failure({ operators: [thenable], action: { kind: 'collect' } });
    expect(error).toMatchObject({ code: 'ELEMENT_PROMISE', retryable: false });
    expect(error.message).toContain('map() at job.ts:1:map');
    const filter = op('filter', [async () => true]);
    expect(
      (await failure({ operators: [op('glom', []), filter], action: { kind: 'count' } })).message,
    ).toContain('filter() at job.ts:1:filter');
  });

  it('names the record whose value does not decode', async () => {
    const input = () => stream(columns(['{"a":1}', '{"a":']));
    const value = { name: 'json', nullable: false } as const;
    const read = [op('map', [(r: { value: { a: number } }) => r.value.a])];
    const error = await failure({ input: input(), value, operators: read, action: { kind: 'collect' } });
    expect(error).toMatchObject({
      code: 'VALUE_DECODE',
      details: { topic: 'views', partition: 3, offset: 12 },
    });
    // A value that nobody reads is not decoded.
    expect(
      await run({
        input: input(),
        value,
        operators: [op('map', [(r: Row) => r.offset])],
        action: { kind: 'count' },
      }),
    ).toBe(2);
  });

  it('refuses a null value unless the codec is nullable', async () => {
    const operators = [op('map', [(r: Row) => r.value])];
    const error = await failure({ input: stream(columns([null])), operators, action: { kind: 'collect' } });
    expect(error.code).toBe('VALUE_DECODE');
    const value = { name: 'utf8', nullable: true } as const;
    expect(
      await run({ input: stream(columns([null])), value, operators, action: { kind: 'collect' } }),
    ).toEqual([null]);
  });

  it('refuses results that are not plain data instead of damaging them', async () => {
    class Money {
      cents = 1;
    }
    const error = await failure({
      operators: [op('map', [() => [new Money()]])],
      action: { kind: 'collect' },
    });
    expect(error.message).toContain('an instance of Money');
    expect(
      (await failure({ operators: [op('map', [() => () => 1])], action: { kind: 'collect' } })).message,
    ).toContain('a function');
  });

  it('says what a partition function must return', async () => {
    const error = await failure({ operators: [op('mapPartitions', [() => 5])], action: { kind: 'count' } });
    expect(error).toMatchObject({ code: 'USER_CODE' });
    expect(error.message).toContain('must return an iterable');
  });
});
