import { inspect, isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { COLUMN } from './column.ts';
import { decodeColumns, encodeColumns } from './column-block.ts';
import { decodeRowBlock, RowBuffer, rowsOfBlock } from './row-block.ts';
import { anyColumn, anyText } from './testing/any-row.ts';

const here = { path: 'file', offset: 8 };

function blockOf(rows: ReadonlyArray<readonly [unknown, unknown]>): Buffer {
  const buffer = new RowBuffer('job.ts:3:4');
  for (const [key, value] of rows) buffer.add(key, value);
  return buffer.take();
}

/** Tells −0 from 0, undefined from absent, a Buffer from a Uint8Array; realms are one. */
function shown(value: unknown): string {
  return inspect(value, { depth: null, maxArrayLength: null, maxStringLength: null, sorted: false });
}

function kindsOf(block: Buffer): number[] {
  return [block.readUInt32LE(24), block.readUInt32LE(40)];
}

describe('a block of rows', () => {
  it('gives back what V8 would have given back, whatever the rows', () => {
    const rows = fc
      .integer({ min: 1, max: 30 })
      .chain((length) => fc.tuple(anyColumn(length), anyColumn(length)))
      .map(([keys, values]) => keys.map((key, index): [unknown, unknown] => [key, values[index]]));
    fc.assert(
      fc.property(rows, (written) => {
        const read = rowsOfBlock(decodeRowBlock(blockOf(written), here));
        expect(shown(read)).toBe(shown(deserialize(serialize(written))));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps texts of any UTF-16 units apart, also where halves of a surrogate pair are neighbours', () => {
    fc.assert(
      fc.property(fc.array(anyText(), { minLength: 1 }), (texts) => {
        const { columns } = decodeColumns(encodeColumns([texts]), here);
        expect(columns[0]).toEqual(texts);
      }),
    );
    const halves = ['\ud83d', '\ude00', ''];
    expect(decodeColumns(encodeColumns([halves]), here).columns[0]).toEqual(halves);
  });

  it.each<[string, unknown[], number]>([
    ['undefined', [undefined, undefined], COLUMN.UNDEFINED],
    ['null', [null, null], COLUMN.NULL],
    ['booleans', [true, false], COLUMN.BOOLEAN],
    ['integers', [1, -(2 ** 31)], COLUMN.INT32],
    ['numbers with −0', [1, -0], COLUMN.DOUBLE],
    ['numbers', [2 ** 31, Number.NaN], COLUMN.DOUBLE],
    ['ASCII', ['a', ''], COLUMN.ASCII],
    ['texts', ['a', 'ключ', '\u{1f600}'], COLUMN.UTF8],
    ['broken texts', ['a', '\ud83d'], COLUMN.UTF16],
    ['buffers', [Buffer.from('a'), Buffer.alloc(0)], COLUMN.BUFFER],
    ['bytes', [new Uint8Array(3)], COLUMN.BYTES],
    ['a mixture', [1, '1'], COLUMN.V8],
    ['nullable texts', ['a', null], COLUMN.V8],
    ['objects', [{ a: 1 }], COLUMN.V8],
    ['bigints', [1n], COLUMN.V8],
    [
      'pairs',
      [
        [1, 'a'],
        [2, 'b'],
      ],
      COLUMN.TUPLE,
    ],
    [
      'tuples',
      [
        [1.5, null, undefined, 7n, true],
        [-0, null, 1, '', false],
      ],
      COLUMN.TUPLE,
    ],
    ['arrays of several lengths', [[1], [1, 2]], COLUMN.V8],
    ['empty arrays', [[]], COLUMN.V8],
    ['long arrays', [[1, 2, 3, 4, 5, 6, 7, 8, 9]], COLUMN.V8],
    ['arrays with holes', [Object.assign([1], { length: 3 })], COLUMN.V8],
    ['nested arrays', [[[1], 2]], COLUMN.V8],
    ['holes in nested arrays', [[Object.assign([1], { 2: undefined, length: 4 })]], COLUMN.V8],
  ])('has a column for %s', (_, values, kind) => {
    const block = blockOf(values.map((value, index) => [index, value]));
    expect(kindsOf(block)).toEqual([COLUMN.INT32, kind]);
    expect(shown(rowsOfBlock(decodeRowBlock(block, here)).map(([, value]) => value))).toBe(shown(values));
  });

  it('moves long values, and many', () => {
    const long = 'é'.repeat(3_000_000);
    const many = Array.from({ length: 70_000 }, (_, index): [string, unknown] => [`key-${index}`, index / 2]);
    for (const rows of [[[long, Buffer.alloc(70_000, 7)] as const], many]) {
      expect(isDeepStrictEqual(rowsOfBlock(decodeRowBlock(blockOf(rows), here)), rows)).toBe(true);
    }
  });

  it('reads a block from any position in memory', () => {
    const block = blockOf([['a', 1.5]]);
    for (let shift = 1; shift < 9; shift++) {
      const moved = Buffer.concat([Buffer.alloc(shift), block]).subarray(shift);
      expect(rowsOfBlock(decodeRowBlock(moved, here))).toEqual([['a', 1.5]]);
    }
  });

  it('is not changed by what a lambda does to its values later', () => {
    const [bytes, list] = [Buffer.from('ab'), [1]];
    const buffer = new RowBuffer('');
    buffer.add(bytes, list);
    bytes.fill(0);
    list.push(2);
    expect(rowsOfBlock(decodeRowBlock(buffer.take(), here))).toEqual([[Buffer.from('ab'), [1]]]);
    expect([buffer.rows, buffer.bytes]).toEqual([0, 0]);
  });

  it.each<[string, () => unknown]>([
    ['a function', () => () => 1],
    ['a symbol in an object', () => ({ a: Symbol('s') })],
    ['an instance of a class', () => new (class Money {})()],
    ['a promise', () => Promise.resolve()],
    [
      'a getter that throws',
      () => ({
        get a() {
          throw new Error('no');
        },
      }),
    ],
    [
      'more depth than a stack has',
      () => {
        let deep: unknown[] = [];
        for (let level = 0; level < 200_000; level++) deep = [deep];
        return deep;
      },
    ],
  ])('refuses %s, with the place', (_, value) => {
    const buffer = new RowBuffer('job.ts:3:4');
    const refusal = expect.objectContaining({
      code: 'USER_CODE',
      retryable: false,
      details: { place: 'job.ts:3:4' },
    });
    expect(() => buffer.add('k', value())).toThrow(refusal);
    expect(() => buffer.add(value(), 'v')).toThrow(refusal);
    expect(buffer.rows).toBe(0);
  });

  it('names the path to the culprit', () => {
    expect(() => new RowBuffer('').add('k', { a: [1, () => 1] })).toThrow('it.a[1] is a function');
  });

  it('tells every byte that is flipped, and every byte that is missing', () => {
    const block = blockOf([
      ['a', 1.5],
      ['é', 2],
      ['c', 3],
    ]);
    const damaged = expect.objectContaining({
      code: 'BLOCK_CORRUPT',
      details: expect.objectContaining({ path: 'file', offset: 8 }),
    });
    for (let at = 0; at < block.length; at++) {
      for (const bit of [1, 16, 128]) {
        const flipped = Buffer.from(block);
        flipped[at] = (flipped[at] ?? 0) ^ bit;
        expect(() => decodeRowBlock(flipped, here)).toThrow(damaged);
      }
      expect(() => decodeRowBlock(block.subarray(0, at), here)).toThrow(damaged);
    }
    expect(() => decodeRowBlock(Buffer.concat([block, Buffer.alloc(8)]), here)).toThrow(damaged);
  });
});
