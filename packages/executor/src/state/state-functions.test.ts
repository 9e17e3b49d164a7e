import { describe, expect, it } from '@jest/globals';
import type { StateMode, StateWriteCall } from '@millrace/proto/task';
import { type RowBlock, rowsOfBlock } from '../shuffle/row-block.ts';
import { type StateFunction, stateFunction } from './state-functions.ts';
import { StateTable } from './state-table.ts';
import { STATE_CALL } from './testing/state-call.ts';

/** Batches of one partition, one after the other, all committed. */
class Partition {
  readonly table = new StateTable();
  soiled = 0;
  readonly #call: StateWriteCall;
  readonly #functions: readonly Function[];

  constructor(mode: StateMode, functions: readonly Function[], call: Partial<StateWriteCall> = {}) {
    this.#call = { ...STATE_CALL, mode, ...call };
    this.#functions = functions;
  }

  batch(batchTime: number, rows: readonly unknown[], call: Partial<StateWriteCall> = {}): readonly unknown[] {
    return this.#run(batchTime, call, (operator, emit) => operator.take(rows, emit));
  }

  blocks(batchTime: number, blocks: readonly RowBlock[]): readonly unknown[] {
    return this.#run(batchTime, {}, (operator, emit) => {
      for (const block of blocks) {
        operator.takeBlock?.(block, 0, 1, emit);
        operator.takeBlock?.(block, 1, block.rows, emit);
      }
    });
  }

  #run(
    batchTime: number,
    call: Partial<StateWriteCall>,
    feed: (operator: StateFunction, emit: (row: unknown) => void) => void,
  ): readonly unknown[] {
    const made: unknown[] = [];
    const state = { table: this.table, soil: () => void this.soiled++, made: () => undefined };
    const operator = stateFunction({
      call: { ...this.#call, ...call },
      functions: this.#functions,
      state,
      batchTime,
      place: 'job.ts:1:1',
    });
    feed(operator, (row) => made.push(row));
    for (const _ of operator.finish((row) => made.push(row)));
    this.table.promote();
    return made;
  }
}

describe('a window by what left and what entered it', () => {
  const sum = (a: number, b: number): number => a + b;
  const minus = (a: number, b: number): number => a - b;

  it('gives all keys of the window, and forgets those whose values have all left', () => {
    const partition = new Partition('window', [sum, minus], { closures: ['function', 'inverse'] });
    const entered = { left: 0 };
    expect(
      partition.batch(
        1,
        [
          ['a', [[5]]],
          ['b', [[1]]],
        ],
        entered,
      ),
    ).toEqual([
      ['a', 5],
      ['b', 1],
    ]);
    // Two batches enter, none leaves.
    expect(partition.batch(2, [['a', [[2], [3]]]], entered)).toEqual([
      ['b', 1],
      ['a', 10],
    ]);
    expect(
      partition.batch(
        3,
        [
          ['a', [[5], [7]]],
          ['b', [[1], []]],
        ],
        { left: 1 },
      ),
    ).toEqual([['a', 12]]);
    expect(partition.batch(4, [['a', [[2, 3, 7], []]]], { left: 1 })).toEqual([]);
    expect(partition.table.size).toBe(0);
  });

  it('lets go of what the filter refuses, and does not miss it when it leaves', () => {
    const partition = new Partition('window', [sum, minus, ([, n]: [string, number]) => n !== 0], {
      closures: ['function', 'inverse', 'filter'],
      left: 1,
    });
    expect(partition.batch(1, [['a', [[], [0]]]])).toEqual([]);
    expect(partition.batch(2, [['a', [[0], []]]])).toEqual([]);
  });
});

describe('the order of keys', () => {
  it('is that of their last touch, and what times out is found from its beginning', () => {
    interface Api {
      isTimingOut(): boolean;
      update(value: number): void;
    }
    const f = (key: string, value: number | undefined, state: Api): string | undefined => {
      if (state.isTimingOut()) return `${key} out`;
      state.update(value ?? 0);
      return undefined;
    };
    const partition = new Partition('map', [f], { timeoutMs: 10 });
    partition.batch(100, [
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ]);
    partition.batch(105, [['a', 2]]);
    // Idle for 9 ms is not enough, for 10 it is.
    expect(partition.batch(109, [])).toEqual([]);
    expect(partition.batch(110, [['b', 2]])).toEqual(['c out']);
    expect(partition.batch(115, [])).toEqual(['a out']);
    expect(partition.batch(120, [['b', 3]])).toEqual([]);
    expect([...partition.table.rows()].map(({ key, at }) => [key, at])).toEqual([['b', 120]]);
  });
});

describe('objects of the state', () => {
  it('that a function was given soil what is kept; numbers do not', () => {
    const numbers = new Partition('update', [(values: number[], n = 0) => n + values.length]);
    numbers.batch(1, [['a', [1]]]);
    numbers.batch(2, [['a', [1]]]);
    expect(numbers.soiled).toBe(0);
    const objects = new Partition('update', [
      (values: number[], s = { n: 0 }) => ({ n: s.n + values.length }),
    ]);
    objects.batch(1, [['a', [1]]]);
    expect(objects.soiled).toBe(0);
    objects.batch(2, [['a', [1]]]);
    expect(objects.soiled).toBe(1);
  });
});

describe('the key that a function is given', () => {
  it('cannot be changed, and is its own: the row may', () => {
    const partition = new Partition('update', [
      (values: number[], n: number | undefined, key: [string, number]) => {
        if (values.includes(7)) key[1] = 7;
        return (n ?? 0) + values.length;
      },
    ]);
    const key = [['t', { n: 1 }], 1];
    partition.batch(1, [[key, [1]]]);
    key.push(2);
    expect(partition.batch(2, [])).toEqual([[[['t', { n: 1 }], 1], 1]]);
    expect(() => partition.batch(3, [[[['t', { n: 1 }], 1], [7]]])).toThrow(/read only/);
  });
});

describe('blocks of a shuffle', () => {
  const count = (key: string, n: number, state: { getOption(): number; update(sum: number): void }) => {
    const sum = (state.getOption() ?? 0) + n;
    state.update(sum);
    return [key, sum];
  };
  const block = (values: readonly number[], keys: readonly unknown[]): RowBlock => ({
    rows: values.length,
    bytes: 0,
    keys,
    values,
    marks: undefined,
  });
  const numbered = (texts: readonly string[], numbers: readonly number[]): RowBlock => ({
    ...block(
      numbers.map((_, row) => row + 1),
      numbers.map((number) => texts[number]),
    ),
    numbered: { texts, numbers },
  });

  it('do to the state what their rows do, whichever texts the numbers are of', () => {
    const texts = ['a', 'b'];
    const blocks = [
      numbered(texts, [0, 1, 0]),
      numbered(texts, [1, 1]),
      numbered(['b', 'c', 'a'], [0, 1, 2, 0]),
      block([7, 8], ['c', 9]),
      numbered(texts, [0, 1]),
    ];
    const [asBlocks, asRows] = [new Partition('map', [count]), new Partition('map', [count])];
    for (const batchTime of [1, 2])
      expect(asBlocks.blocks(batchTime, blocks)).toEqual(
        asRows.batch(batchTime, blocks.flatMap(rowsOfBlock)),
      );
    expect([...asBlocks.table.rows()]).toMatchObject([...asRows.table.rows()]);
    expect(asRows.table.size).toBe(4);
  });
});
