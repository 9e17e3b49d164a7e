import { describe, expect, it } from '@jest/globals';
import { JOIN_MODES, joinRows } from './cogrouped.ts';

const { signal } = new AbortController();

async function* one(row: unknown): AsyncGenerator<unknown[]> {
  yield [row];
}

describe('joining rows', () => {
  it('makes the pairs of a frequent key as they are read', async () => {
    const all = Array.from({ length: 3_000 }, (_, index) => index);
    let pairs = 0;
    const call = { functions: [], numbers: [JOIN_MODES.inner], partition: 0, signal };
    for await (const chunk of joinRows.run(one(['hot', [all, all]]), call)) {
      expect(chunk.length).toBeLessThanOrEqual(1024);
      pairs += chunk.length;
      if (pairs >= 10_000) break;
    }
    expect(pairs).toBeLessThan(12_000);
  });

  it('stops when its task is cancelled', async () => {
    const all = Array.from({ length: 3_000 }, (_, index) => index);
    const abort = new AbortController();
    const call = { functions: [], numbers: [JOIN_MODES.full], partition: 0, signal: abort.signal };
    const read = async (): Promise<void> => {
      for await (const _ of joinRows.run(one(['hot', [all, all]]), call)) abort.abort(new Error('enough'));
    };
    await expect(read()).rejects.toThrow('enough');
  });
});
