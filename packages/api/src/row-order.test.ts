import { describe, expect, it } from '@jest/globals';
import { rowOrder } from './row-order.ts';

describe('the order of top and takeOrdered', () => {
  it.each([
    [
      [3, 1n, 2],
      [1n, 2, 3],
    ],
    [
      ['b', 'a'],
      ['a', 'b'],
    ],
    [
      [new Date(2), new Date(1)],
      [new Date(1), new Date(2)],
    ],
    [
      [Number.NaN, 1, Number.NaN, 0],
      [0, 1, Number.NaN, Number.NaN],
    ],
    [
      [true, false],
      [false, true],
    ],
  ])('sorts %p naturally, both ways', (rows: readonly unknown[], sorted) => {
    expect(rows.toSorted(rowOrder(1, undefined))).toEqual(sorted);
    expect(rows.toSorted(rowOrder(-1, undefined))).toEqual(sorted.toReversed());
  });

  it.each([
    [[[1], [2]], 'Array'],
    [[{ a: 1 }, 1], 'Object'],
    [[null, 1], 'null'],
    [[undefined as unknown, 1], 'undefined'],
    [['10', 9], 'a string and a number|a number and a string'],
  ])('refuses %p, which JavaScript would order somehow', (rows: readonly unknown[], named) => {
    const order = rowOrder(1, undefined);
    expect(() => order(rows[0], rows[1])).toThrow(new RegExp(`know no order of (${named}).*comparator`));
  });

  it('refuses a comparator that returns no number', () => {
    const isAfter = ((a: number, b: number) => a > b) as unknown as (a: number, b: number) => number;
    expect(() => rowOrder(1, isAfter)(1, 2)).toThrow(/comparator .* returned boolean.*Return a number/);
  });
});
