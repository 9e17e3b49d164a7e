import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { Row } from './row-block.ts';
import { type SorterOptions, sortedRows } from './row-sorter.ts';
import { anyValue } from './testing/any-row.ts';
import { collected } from './testing/collected.ts';
import { withDirectory } from './testing/temporary-directory.ts';

const ascending = (a: unknown, b: unknown): number => Number(a) - Number(b);

function options(directory: string, own: Partial<SorterOptions>): SorterOptions {
  return {
    order: ascending,
    directory: join(directory, 'spill'),
    memoryBytesMax: 1e9,
    spillBytesMax: 1e9,
    place: 'job.ts:1:2',
    ...own,
  };
}

async function* chunks(rows: readonly Row[], length = 7): AsyncGenerator<readonly Row[]> {
  for (let from = 0; from < rows.length; from += length) yield rows.slice(from, from + length);
}

const inMemory = (rows: readonly Row[], order = ascending): Row[] =>
  rows.toSorted((a, b) => order(a[0], b[0]));

describe('sorting rows', () => {
  it('is what an array gives, equal keys in order, whatever the memory', async () => {
    const input = fc.record({
      rows: fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), anyValue()), { maxLength: 120, size: 'max' }),
      memoryBytesMax: fc.oneof(fc.constant(1), fc.integer({ min: 60, max: 5_000 })),
      direction: fc.constantFrom(1, -1),
    });
    await withDirectory(async (directory) => {
      await fc.assert(
        fc.asyncProperty(input, async ({ rows, memoryBytesMax, direction }) => {
          const order = (a: unknown, b: unknown): number => direction * ascending(a, b);
          const made = await collected(
            sortedRows(chunks(rows), options(directory, { memoryBytesMax, order })),
          );
          expect(made.flat()).toEqual(inMemory(rows, order));
          expect(await readdir(directory)).toEqual([]);
        }),
        { numRuns: 30 },
      );
    });
  }, 60_000);

  it('merges more runs than it has open', async () => {
    await withDirectory(async (directory) => {
      // Thirteen keys, so that most neighbours are equal; each value says where it stood.
      const rows = Array.from({ length: 6_000 }, (_, index): Row => [(index * 7919) % 13, index]);
      let most = 0;
      const made: Row[] = [];
      // About 60 rows a run, 100 runs: two passes.
      for await (const chunk of sortedRows(chunks(rows), options(directory, { memoryBytesMax: 3_500 }))) {
        if (made.length === 0) most = (await readdir(join(directory, 'spill'))).length;
        made.push(...chunk);
      }
      expect(made).toEqual(inMemory(rows));
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(16);
    });
  });

  it('gives large rows in small chunks', async () => {
    await withDirectory(async (directory) => {
      const rows = Array.from({ length: 60 }, (_, index): Row => [60 - index, Buffer.alloc(300_000, index)]);
      const own = options(directory, { memoryBytesMax: 2_000_000 });
      const made = await collected(sortedRows(chunks(rows), own));
      expect(made.flat().map(([key]) => key)).toEqual(inMemory(rows).map(([key]) => key));
      expect(Math.max(...made.map((chunk) => chunk.length))).toBeLessThanOrEqual(4);
    });
  });

  it('leaves no file behind when the order throws, the disk is full, or nobody reads on', async () => {
    const rows = Array.from({ length: 2_000 }, (_, index): Row => [index % 100, index]);
    const failing = (a: unknown, b: unknown): number => {
      if (a === 50 && b === 51) throw new Error('no');
      return ascending(a, b);
    };
    await withDirectory(async (directory) => {
      const bounds = { memoryBytesMax: 20_000 };
      for (const [own, failure] of [
        [{ ...bounds, order: failing }, { message: 'no' }],
        [{ ...bounds, spillBytesMax: 500 }, { code: 'SHUFFLE_DISK' }],
      ] as const) {
        await expect(collected(sortedRows(chunks(rows), options(directory, own)))).rejects.toMatchObject(
          failure,
        );
        expect(await readdir(directory)).toEqual([]);
      }
      for await (const chunk of sortedRows(chunks(rows), options(directory, bounds))) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(await readdir(directory)).toEqual([]);
    });
  });
});
