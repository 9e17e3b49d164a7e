import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { collected } from '../shuffle/testing/collected.ts';
import { withDirectory } from '../shuffle/testing/temporary-directory.ts';
import { combined } from './combining.ts';
import { mergeRows } from './merge-rows.ts';
import type { TaskStorage } from './task-storage.ts';

const { signal } = new AbortController();
const place = 'job.ts:1:1';

async function* chunks(...parts: readonly unknown[][]): AsyncGenerator<unknown[]> {
  yield* parts;
}

const merged = async (
  how: 'cogroup' | 'zip' | 'cartesian',
  ...parents: readonly AsyncIterable<unknown[]>[]
): Promise<unknown[]> => (await collected(mergeRows({ how, place }, parents, signal))).flat();

describe('rows of several chains', () => {
  it('are grouped by key, keys in order of first appearance', async () => {
    const rows = await merged(
      'cogroup',
      chunks(
        [['b', 1]],
        [
          ['a', 2],
          ['b', 3],
        ],
      ),
      chunks(
        [
          ['c', 4],
          [0, 5],
        ],
        [],
      ),
      chunks([[-0, 6]]),
    );
    expect(rows).toEqual([
      ['b', [[1, 3], [], []]],
      ['a', [[2], [], []]],
      ['c', [[], [4], []]],
      [0, [[], [5], [6]]],
    ]);
  });

  it('refuse what cannot be a key, with the place', async () => {
    const bad = merged('cogroup', chunks([[new Map(), 1]]), chunks());
    await expect(bad).rejects.toMatchObject({ code: 'USER_CODE', details: { place } });
  });

  it('are zipped across chunks of different sizes', async () => {
    expect(await merged('zip', chunks([1], [2, 3, 4]), chunks([], ['a', 'b', 'c'], ['d']))).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
    ]);
    expect(await merged('zip', chunks(), chunks([]))).toEqual([]);
  });

  it.each([
    [[1, 2], ['a']],
    [[1], ['a', 'b']],
  ])('are not zipped when one has more: %j, %j', async (left, right) => {
    await expect(merged('zip', chunks(left), chunks(right))).rejects.toMatchObject({
      code: 'USER_CODE',
      what: expect.stringContaining('1 rows'),
      details: { place },
    });
  });

  it('are multiplied, the second the faster', async () => {
    expect(await merged('cartesian', chunks([1], [2]), chunks(['a'], ['b']))).toEqual([
      [1, 'a'],
      [1, 'b'],
      [2, 'a'],
      [2, 'b'],
    ]);
    expect(await merged('cartesian', chunks([1]), chunks())).toEqual([]);
  });

  it('may all be combined on disk at the same time', async () => {
    await withDirectory(async (directory) => {
      const spillDirectory = join(directory, 'spill');
      const storage: TaskStorage = {
        mapOutputPath: () => '',
        spillDirectory,
        memoryBytesMax: 20_000,
        fileBytesMax: 1e9,
      };
      const keys = Array.from({ length: 3_000 }, (_, index) => `key-${index}`);
      const grouped = (value: string): AsyncIterable<unknown[]> => {
        const rows = keys.map((key) => [key, value]);
        const call = { kind: 'group', functions: [], numbers: [], place } as const;
        return combined(chunks(rows, rows), call, storage);
      };
      let most = 0;
      const rows: unknown[] = [];
      for await (const chunk of mergeRows({ how: 'zip', place }, [grouped('l'), grouped('r')], signal)) {
        most = Math.max(most, (await readdir(spillDirectory)).length);
        rows.push(...chunk);
      }
      expect(most).toBe(2);
      expect(rows).toEqual(
        keys.map((key) => [
          [key, ['l', 'l']],
          [key, ['r', 'r']],
        ]),
      );
      expect(await readdir(spillDirectory)).toEqual([]);
    });
  });
});
