import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { withDirectory } from '../shuffle/testing/temporary-directory.ts';
import { IN_MEMORY } from './task-storage.ts';
import { columns, failure, op, type Row, run, stream } from './testing/pipeline-setup.ts';

const storage = IN_MEMORY;
const collect = { action: { kind: 'collect' }, storage } as const;
const pairs = op('map', [(row: Row) => [row.value, row.offset]]);
const input = () => stream(columns(['a', 'b', 'a']), columns(['b', 'a'], 3));

describe('rows that are combined in the loop that makes them', () => {
  it('are one a key, in order of first appearance, for each way of combining', async () => {
    const made = (operator: ReturnType<typeof op>) =>
      run({ ...collect, input: input(), operators: [pairs, operator] });
    expect(await made(op('combine', [(a: number, b: number) => a + b]))).toEqual([
      ['a', 42],
      ['b', 28],
    ]);
    expect(await made(op('combine', [], [1]))).toEqual([
      ['a', 3],
      ['b', 2],
    ]);
    expect(await made(op('combine', []))).toEqual([
      ['a', 10],
      ['b', 12],
    ]);
    expect(await made(op('group', []))).toEqual([
      ['a', [10, 14, 18]],
      ['b', [12, 16]],
    ]);
  });

  it('go on through the operators behind, and may be combined again', async () => {
    const operators = [
      pairs,
      op('group', []),
      op('map', [([, values]: [string, number[]]) => [{ many: values.length > 2 }, values.length]]),
      op('combine', [(a: number, b: number) => a + b]),
    ];
    expect(await run({ ...collect, input: input(), operators })).toEqual([
      [{ many: true }, 3],
      [{ many: false }, 2],
    ]);
  });

  it('go to disk in the middle of a chunk, and nothing is lost', async () => {
    const values = Array.from({ length: 3000 }, (_, n) => `key-${n % 1000}`);
    await withDirectory(async (directory) => {
      const small = {
        ...storage,
        spillDirectory: join(directory, 'spill'),
        memoryBytesMax: 20_000,
        fileBytesMax: 1e9,
      };
      const operators = [
        op('map', [(row: Row) => [row.value, 1]]),
        op('combine', [(a: number, b: number) => a + b]),
      ];
      const rows = await run({ ...collect, storage: small, input: stream(columns(values)), operators });
      expect(rows).toEqual(values.slice(0, 1000).map((key) => [key, 3]));
    });
  });

  it('name the record whose value could not be merged, and the operator that cannot use its key', async () => {
    const merge = (a: number, b: number): number => {
      if (b === 16) throw new Error('no');
      return a + b;
    };
    const thrown = await failure({ ...collect, input: input(), operators: [pairs, op('combine', [merge])] });
    expect(thrown).toMatchObject({ code: 'USER_CODE', details: { offset: 16 } });
    const bad = op('map', [(row: Row) => [row.offset === 14 ? Symbol('key') : 1, 1]]);
    const unusable = await failure({ ...collect, input: input(), operators: [bad, op('group', [])] });
    expect(unusable).toMatchObject({ code: 'USER_CODE', details: { place: 'job.ts:1:group', offset: 14 } });
    const promised = await failure({
      ...collect,
      input: input(),
      operators: [pairs, op('combine', [async (a: number) => a])],
    });
    expect(promised.code).toBe('ELEMENT_PROMISE');
  });
});
