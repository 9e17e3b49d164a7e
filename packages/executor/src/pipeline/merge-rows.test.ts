import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { anyKey, anyValue } from '../shuffle/testing/any-row.ts';
import { collected } from '../shuffle/testing/collected.ts';
import { withDirectory } from '../shuffle/testing/temporary-directory.ts';
import { combiner } from './combining.ts';
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

const storageIn = (directory: string, memoryBytesMax: number): TaskStorage => ({
  mapOutputPath: () => '',
  spillDirectory: join(directory, 'spill'),
  memoryBytesMax,
  fileBytesMax: 1e9,
});

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

  it('are the same, in the same order, when they do not fit in memory', async () => {
    const rows = fc.array(fc.tuple(anyKey(), anyValue()), { maxLength: 25, size: 'max' });
    const input = fc.record({
      parents: fc.array(rows, { minLength: 2, maxLength: 3 }),
      memoryBytesMax: fc.oneof(fc.constant(50), fc.integer({ min: 200, max: 5_000 })),
    });
    let spills = 0;
    await withDirectory(async (directory) => {
      await fc.assert(
        fc.asyncProperty(input, async ({ parents, memoryBytesMax }) => {
          const storage = storageIn(directory, memoryBytesMax);
          for (const how of ['cogroup', 'cartesian'] as const) {
            const chains = () =>
              parents.slice(0, how === 'cogroup' ? 3 : 2).map((one) => chunks(one.slice(0, 9), one.slice(9)));
            const made: unknown[] = [];
            for await (const chunk of mergeRows({ how, place }, chains(), signal, storage)) {
              // A combiner that spilled merges from disk now, a product reads from it.
              if (made.length === 0) spills += await readdir(directory).then((names) => names.length);
              made.push(...chunk);
            }
            expect(made).toEqual(await merged(how, ...chains()));
          }
        }),
        { numRuns: 15 },
      );
      expect(spills).toBeGreaterThan(3);
      expect(await readdir(join(directory, 'spill'))).toEqual([]);
    });
  }, 60_000);

  it('may all be combined on disk at the same time', async () => {
    await withDirectory(async (directory) => {
      const spillDirectory = join(directory, 'spill');
      const storage = storageIn(directory, 20_000);
      const keys = Array.from({ length: 3_000 }, (_, index) => `key-${index}`);
      async function* grouped(value: string): AsyncGenerator<unknown[]> {
        const call = { kind: 'group', functions: [], numbers: [], place } as const;
        const { rows } = combiner(call, storage);
        for (let round = 0; round < 2; round++) await rows.addRows(keys.map((key) => [key, value] as const));
        yield* rows.results() as AsyncGenerator<unknown[]>;
        await rows.close();
      }
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
