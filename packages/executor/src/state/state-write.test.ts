import { statSync } from 'node:fs';
import { join } from 'node:path';
import { serialize, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import type { TaskContextData } from '@millrace/api/internal';
import type { TaskStorage } from '../pipeline/task-storage.ts';
import type { RowBlock } from '../shuffle/row-block.ts';
import { withDirectory } from '../shuffle/testing/temporary-directory.ts';
import { StateStore } from './state-store.ts';
import { type StateInput, writeState } from './state-write.ts';
import { STATE_CALL } from './testing/state-call.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Keyed {
  getOption(): unknown;
  update(value: unknown): void;
}

/** One task of mapWithState. `use` sees the path of what it writes. */
async function batch(
  input: (path: string) => StateInput,
  f: (key: unknown, value: unknown, state: Keyed) => unknown,
  store = new StateStore(),
): Promise<void> {
  await withDirectory(async (directory) => {
    const path = join(directory, 'out');
    const storage: TaskStorage = {
      mapOutputPath: () => path,
      spillDirectory: join(directory, 'spill'),
      memoryBytesMax: 100_000,
      fileBytesMax: 1e9,
    };
    const { signal } = new AbortController();
    const task = { epoch: 1, batchTime: 1, partitionId: 0, attemptNumber: 0, signal } as TaskContextData;
    await writeState(input(path), {
      action: { value: serialize(STATE_CALL), place: 'job.ts:1:1' },
      functions: [f],
      task,
      storage,
      states: { store, fetch: () => Promise.reject(new Error('there are no files')) },
    });
  });
}

function blockOf(keys: readonly unknown[], values: readonly unknown[]): RowBlock {
  return { rows: keys.length, bytes: 0, keys, values, marks: undefined };
}

describe('a task of keyed state', () => {
  it('writes rows as they are made, also those of one block', async () => {
    const rows = 5_000;
    let path = '';
    let writtenBytes = 0;
    async function* blocks(): AsyncGenerator<RowBlock, void, undefined> {
      const numbers = Array.from({ length: rows }, (_, row) => row);
      yield blockOf(numbers, numbers);
    }
    await batch(
      (out) => {
        path = out;
        return { blocks: blocks() };
      },
      (_key, row) => {
        if (row === rows - 1) writtenBytes = statSync(`${path}.part`).size;
        return 'x'.repeat(1_000);
      },
    );
    expect(writtenBytes).toBeGreaterThan((rows * 1_000) / 2);
  });

  it('holds nothing of the values that its state was cut out of', async () => {
    const keys = 400;
    const length = 50_000;
    async function* rows(): AsyncGenerator<unknown[]> {
      for (let key = 0; key < keys; key++)
        yield [[`key-${key}`, `session-number-${key} `.padEnd(length, 'x')]];
    }
    const store = new StateStore();
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    await batch(
      () => ({ rows: rows() }),
      (key, value, state) => {
        const session = String(value).slice(0, String(value).indexOf(' '));
        state.update(key === 'key-0' ? session : { session });
      },
      store,
    );
    collectGarbage();
    expect(store.size).toBe(1);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan((keys * length) / 4);
  });
});
