import { describe, expect, it } from '@jest/globals';
import { type AccumulatorUpdates, encodeResult } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import type { RecordColumns } from '@millrace/kafka';
import { columns, failure, op, type Row, run, stream } from './testing/pipeline-setup.ts';

describe('a pipeline under hostile jobs', () => {
  it('runs pipelines of any length', async () => {
    const maps = Array.from({ length: 5000 }, () => op('map', [(x: number) => x + 1]));
    const nested = Array.from({ length: 1000 }, () => op('flatMap', [(x: number) => [x]]));
    const first = op('map', [(r: Row) => r.offset]);
    expect(await run({ operators: [first, ...maps, ...nested], action: { kind: 'collect' } })).toEqual(
      [10, 12, 14, 16].map((n) => n + 5000),
    );
    const last = op('map', [() => 1]);
    expect(await run({ operators: [...nested, last], action: { kind: 'take', numbers: [2] } })).toEqual([
      1, 1,
    ]);
  });

  it.each([
    ['flatMap', [() => 5], 'flatMap() at job.ts:1:flatMap must return something iterable, got number'],
    ['flatMapValues', [() => undefined], 'must return something iterable, got undefined'],
  ])('says what %s must return', async (kind, functions, text) => {
    const operators = [op('map', [(r: Row) => [r.key, r.value]]), op(kind, functions)];
    const error = await failure({ operators, action: { kind: 'count' } });
    expect(error).toMatchObject({ code: 'USER_CODE', retryable: false, details: { offset: 10 } });
    expect(error.message).toContain(text);
  });

  it.each(['reduce', 'fold', 'aggregate'])('refuses a Promise from the function of %s', async (kind) => {
    const functions = [() => Promise.resolve(1)];
    const error = await failure({ action: { kind, value: encodeResult(0) }, functions });
    expect(error).toMatchObject({ code: 'ELEMENT_PROMISE', details: { place: 'job.ts:9:9' } });
  });

  it('closes its input behind a function that keeps its rows half read', async () => {
    let isClosed = false;
    async function* input(): AsyncIterable<RecordColumns> {
      try {
        for (;;) yield await Promise.resolve(columns(['a']));
      } finally {
        isClosed = true;
      }
    }
    let kept: AsyncIterator<Row> | undefined;
    const keep = async (rows: AsyncIterable<Row>) => {
      kept = rows[Symbol.asyncIterator]();
      return [(await kept.next()).value?.value];
    };
    const operators = [op('mapPartitions', [keep])];
    expect(await run({ input: input(), operators, action: { kind: 'collect' } })).toEqual(['a']);
    expect(isClosed).toBe(true);
    expect(await kept?.next()).toEqual({ done: true, value: undefined });
  });

  it('runs the finally blocks of generators that take leaves early', async () => {
    const log: string[] = [];
    function* two(row: Row): Iterable<string> {
      try {
        yield row.value;
        yield row.value;
      } finally {
        log.push(`closed ${row.value}`);
      }
    }
    async function* through(rows: AsyncIterable<string>): AsyncIterable<string> {
      try {
        yield* rows;
      } finally {
        log.push('partition closed');
      }
    }
    const operators = [op('flatMap', [two]), op('mapPartitions', [through])];
    expect(await run({ operators, action: { kind: 'take', numbers: [1] } })).toEqual(['a']);
    expect(log).toContain('partition closed');
    log.length = 0;
    expect(await run({ operators: operators.slice(0, 1), action: { kind: 'take', numbers: [3] } })).toEqual([
      'a',
      'a',
      'b',
    ]);
    expect(log).toEqual(['closed a', 'closed b']);
  });

  it('waits for calls of mapAsync that are under way when one rejects', async () => {
    let underWay = 0;
    const f = async (row: Row) => {
      underWay++;
      await new Promise((resolve) => setTimeout(resolve, 5));
      underWay--;
      if (row.offset === 12) throw new Error('boom');
      return row.offset;
    };
    const error = await failure({ operators: [op('mapAsync', [f], [4])], action: { kind: 'collect' } });
    expect(error.message).toContain('Error: boom');
    expect(underWay).toBe(0);
  });

  it('keeps what rows are: bytes, fields called __proto__', async () => {
    const rows = [new Uint8Array([1]), Buffer.from('b'), JSON.parse('{"__proto__":{"a":1},"b":2}') as object];
    const operators = [op('flatMap', [(r: Row) => (r.offset === 10 ? rows : [])])];
    const [bytes, buffer, object] = await run<unknown[]>({ operators, action: { kind: 'collect' } });
    expect([Buffer.isBuffer(bytes), Buffer.isBuffer(buffer)]).toEqual([false, true]);
    expect(Object.keys(object as object)).toEqual(['__proto__', 'b']);
    class Mine extends Error {}
    const error = await failure({ operators: [op('map', [() => new Mine()])], action: { kind: 'collect' } });
    expect(error.message).toContain('an instance of Mine');
    expect(error.details).toMatchObject({ place: 'job.ts:9:9', offset: 10 });
  });

  it('copies what collection accumulators were given: records are plain, functions are refused', async () => {
    const accumulators: AccumulatorUpdates = new Map<string, number | unknown[]>([
      ['sum:1', 1],
      ['list:1', []],
    ]);
    const add = (row: unknown) => void (accumulators.get('list:1') as unknown[]).push(row);
    await run({ action: { kind: 'foreach' }, functions: [add], input: stream(columns(['a'])), accumulators });
    expect(accumulators.get('list:1')).toEqual([
      { topic: 'views', partition: 3, offset: 10, timestamp: 1000, key: 'k0', value: 'a', headers: [] },
    ]);
    const addFunction = () => add(() => 1);
    expect(
      await failure({ action: { kind: 'foreach' }, functions: [addFunction], accumulators }),
    ).toMatchObject({ code: 'USER_CODE', what: expect.stringContaining('a function') });
  });

  it('refuses a codec that decodes to a Promise', async () => {
    const error = await failure({
      value: { name: 'custom', nullable: false },
      valueDecode: () => Promise.reject(new Error('never seen')),
      operators: [op('map', [(r: Row) => r.value])],
      action: { kind: 'collect' },
    });
    expect(error.code).toBe('VALUE_DECODE');
    expect(error.message).toContain('decode() returned a Promise');
  });

  it('bounds what a thrown message brings along', async () => {
    const huge = () => {
      throw new Error('x'.repeat(1_000_000));
    };
    const error = await failure({ operators: [op('map', [huge])], action: { kind: 'count' } });
    expect(JSON.stringify(MillraceError.toRecord(error)).length).toBeLessThan(20_000);
  });
});
