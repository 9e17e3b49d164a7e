import { describe, expect, it } from '@jest/globals';
import { rowsOf } from './rows.ts';

async function* chunks(): AsyncIterable<readonly number[]> {
  yield await Promise.resolve([1, 2]);
  yield [3];
}

describe('the rows of a partition', () => {
  it('refuse a second reading, however the first one ended', async () => {
    const readings = [
      async (rows: ReturnType<typeof rowsOf<number>>) => void (await rows.toArray()),
      async (rows: ReturnType<typeof rowsOf<number>>) => {
        for await (const _ of rows) break;
      },
      async (rows: ReturnType<typeof rowsOf<number>>) => void rows.chunks(),
    ];
    for (const first of readings) {
      for (const second of readings) {
        const rows = rowsOf(chunks());
        await first(rows);
        await expect(second(rows)).rejects.toThrow(/read a second time.*toArray/);
      }
    }
  });

  it('can be read on with one iterator', async () => {
    const rows = rowsOf(chunks())[Symbol.asyncIterator]();
    const header = await rows.next();
    const rest: number[] = [];
    for (let next = await rows.next(); next.done !== true; next = await rows.next()) rest.push(next.value);
    expect([header.value, rest]).toEqual([1, [2, 3]]);
  });
});
