import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { canonicalKey } from '@millrace/api/internal';
import * as fc from 'fast-check';
import { Combiner, type CombinerOptions, combineRows } from './combiner.ts';
import type { Row } from './row-block.ts';
import { anyKey } from './testing/any-row.ts';
import { collected } from './testing/collected.ts';
import { withDirectory } from './testing/temporary-directory.ts';

const grouping = {
  create: (value: unknown) => [value],
  merge: (group: unknown, value: unknown) => {
    (group as unknown[]).push(value);
    return group;
  },
};

const summing = {
  create: (value: unknown) => value,
  merge: (a: unknown, b: unknown) => Number(a) + Number(b),
};

function options(directory: string, own: Partial<CombinerOptions>): CombinerOptions {
  return {
    ...grouping,
    directory: join(directory, 'spill'),
    memoryBytesMax: 1e9,
    keysMax: 1e6,
    spillBytesMax: 1e9,
    place: 'job.ts:1:2',
    ...own,
  };
}

/** In plain TypeScript: keys in order of first appearance. */
function reference(
  rows: readonly Row[],
  { create, merge }: Pick<CombinerOptions, 'create' | 'merge'>,
): Row[] {
  const byText = new Map<string, [unknown, unknown]>();
  for (const [key, value] of rows) {
    const row = byText.get(canonicalKey(key));
    if (row) row[1] = merge(row[1], value);
    else byText.set(canonicalKey(key), [Object.is(key, -0) ? 0 : key, create(value)]);
  }
  return [...byText.values()];
}

async function combined(
  rows: readonly Row[],
  own: CombinerOptions,
): Promise<{ rows: Row[]; hasSpilled: boolean }> {
  const combiner = new Combiner(own);
  try {
    await combiner.addRows(rows);
    const results = await collected(combiner.results());
    return { rows: results.flat(), hasSpilled: combiner.hasSpilled };
  } finally {
    await combiner.close();
  }
}

describe('combining rows by key', () => {
  it('is what plain arrays give, in order of first appearance, however often it spills', async () => {
    const row = fc.tuple(anyKey(), fc.oneof(fc.double(), fc.string()));
    const input = fc.record({
      rows: fc.array(row, { maxLength: 150, size: 'max' }),
      memoryBytesMax: fc.oneof(fc.constant(1), fc.integer({ min: 200, max: 20_000 })),
      keysMax: fc.integer({ min: 1, max: 200 }),
    });
    let spills = 0;
    await withDirectory(async (directory) => {
      await fc.assert(
        fc.asyncProperty(input, async ({ rows, ...bounds }) => {
          const own = options(directory, bounds);
          const result = await combined(rows, own);
          expect(result.rows).toEqual(reference(rows, own));
          spills += result.hasSpilled ? 1 : 0;
        }),
        { numRuns: 30 },
      );
      expect(spills).toBeGreaterThan(3);
      expect(await readdir(directory)).toEqual([]);
    });
  }, 60_000);

  it('adds numbers in the order of the rows: not a bit differs when it spills', async () => {
    const rows = Array.from(
      { length: 20_000 },
      (_, index): Row => [index % 977, Math.sin(index) * 10 ** (index % 9)],
    );
    await withDirectory(async (directory) => {
      const spilled = await combined(rows, options(directory, { ...summing, memoryBytesMax: 20_000 }));
      expect(spilled.hasSpilled).toBe(true);
      expect(spilled.rows).toEqual(reference(rows, summing));
    });
  });

  it('groups one key among many, and all rows under one', async () => {
    const skewed = Array.from(
      { length: 30_000 },
      (_, index): Row => [index % 10 === 0 ? index : 'hot', index],
    );
    const one = skewed.map(([, value]): Row => ['hot', value]);
    await withDirectory(async (directory) => {
      for (const rows of [skewed, one]) {
        const own = options(directory, { memoryBytesMax: 100_000 });
        expect((await combined(rows, own)).rows).toEqual(reference(rows, own));
      }
    });
  });

  it('does not look at everything again and again when the combiners stay small', async () => {
    let looks = 0;
    const watched = (count: number): object => ({
      get count() {
        looks++;
        return count;
      },
    });
    const counting = {
      create: () => watched(1),
      merge: () => watched(2),
    };
    await withDirectory(async (directory) => {
      const combiner = new Combiner(options(directory, { ...counting, memoryBytesMax: 60_000 }));
      for (let row = 0; row < 20_000; row++) {
        combiner.add(row % 100, row);
        if (combiner.isFull) await combiner.spill();
      }
      expect(combiner.hasSpilled).toBe(false);
      expect(looks).toBeLessThan(20_000);
      await combiner.close();
    });
  });

  it('copies combiners that may hold more than they are, and no others', async () => {
    interface Place {
      readonly size?: number;
      next?: unknown;
    }
    const none: Place = { size: 0 };
    const round: Place = {};
    round.next = [round];
    const combiner = new Combiner(options('/nowhere', { create: (value) => value }));
    const long = { text: 'more than thirteen units' };
    const values = [none, round, long, [1, [2]], new Date(5), new (class Own {})(), 'x'.repeat(20), null, 7];
    for (const [key, value] of values.entries()) combiner.take(key, value);
    combiner.own();
    const made = (await collected(combiner.results())).flat();
    expect(isDeepStrictEqual(made, [...values.entries()])).toBe(true);
    const isSame = made.map(([key, value]) => value === values[Number(key)]);
    expect(isSame).toEqual([true, false, false, true, false, true, true, true, true]);
  });

  it('does not forget what its keys take when it looks at their combiners', async () => {
    const counting = {
      create: () => ({ count: 1 }),
      merge: (combiner: unknown) => ({ count: (combiner as { count: number }).count + 1 }),
    };
    const rows = Array.from(
      { length: 150 },
      (_, index): Row => [`${Math.floor(index / 3)}`.padEnd(10_000, 'k'), 'v'.repeat(20_000)],
    );
    await withDirectory(async (directory) => {
      const own = options(directory, { ...counting, memoryBytesMax: 300_000 });
      const result = await combined(rows, own);
      expect(result.hasSpilled).toBe(true);
      expect(result.rows).toEqual(reference(rows, own));
    });
  });

  it('holds no more keys than it may', async () => {
    await withDirectory(async (directory) => {
      const rows = Array.from({ length: 3000 }, (_, index): Row => [`key-${index}`, index]);
      const { rows: results, hasSpilled } = await combined(
        rows,
        options(directory, { ...summing, keysMax: 100 }),
      );
      expect([hasSpilled, results]).toEqual([true, rows]);
    });
  });

  it('leaves no file behind when a lambda throws, the disk is full, or nobody reads on', async () => {
    const rows = Array.from({ length: 5000 }, (_, index): Row => [index % 1000, index]);
    const source = async function* (): AsyncGenerator<readonly Row[]> {
      yield rows;
    };
    const failing = (_: unknown, value: unknown): unknown => {
      if (value === 4000) throw new Error('no');
      return value;
    };
    await withDirectory(async (directory) => {
      const bounds = { ...summing, memoryBytesMax: 20_000 };
      for (const [own, failure] of [
        [{ ...bounds, merge: failing }, { message: 'no' }],
        [{ ...bounds, spillBytesMax: 500 }, { code: 'SHUFFLE_DISK' }],
        [
          { ...bounds, create: () => () => 1 },
          { code: 'USER_CODE', details: { place: 'job.ts:1:2' } },
        ],
      ] as const) {
        const run = collected(combineRows(source(), options(directory, own)));
        await expect(run).rejects.toMatchObject(failure);
        expect(await readdir(directory)).toEqual([]);
      }
      for await (const chunk of combineRows(source(), options(directory, bounds))) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(await readdir(directory)).toEqual([]);
    });
  });

  it('gives large groups in small chunks', async () => {
    await withDirectory(async (directory) => {
      const rows = Array.from({ length: 400 }, (_, index): Row => [index % 40, Buffer.alloc(50_000, index)]);
      for (const memoryBytesMax of [1e9, 2_000_000]) {
        const combiner = new Combiner(options(directory, { memoryBytesMax }));
        await combiner.addRows(rows);
        expect(combiner.hasSpilled).toBe(memoryBytesMax < 1e9);
        const chunks = await collected(combiner.results());
        await combiner.close();
        expect(chunks.flat()).toHaveLength(40);
        // Half a megabyte each, and a chunk ends after the first.
        expect(Math.max(...chunks.map((chunk) => chunk.length))).toBeLessThanOrEqual(3);
      }
    });
  });

  it('groups by an invalid date', async () => {
    await withDirectory(async (directory) => {
      const rows: Row[] = [
        [new Date(Number.NaN), 1],
        ['', 2],
        [new Date(Number.NaN), 3],
      ];
      const { rows: groups } = await combined(rows, options(directory, { memoryBytesMax: 1, keysMax: 1 }));
      expect(groups).toEqual([
        [new Date(Number.NaN), [1, 3]],
        ['', [2]],
      ]);
    });
  });

  it('refuses what cannot be a key', () => {
    const combiner = new Combiner(options('/nowhere', {}));
    expect(() => combiner.add(new Map(), 1)).toThrow(expect.objectContaining({ code: 'USER_CODE' }));
  });
});
