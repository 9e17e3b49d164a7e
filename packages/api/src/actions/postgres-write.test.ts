import { serialize } from 'node:v8';
import { describe, expect, it } from '@jest/globals';
import type { SqlPool } from '../postgres/sql-client.ts';
import { rowsOf } from '../rows.ts';
import type { TaskContextData } from '../task-context.ts';
import { writePartition } from './postgres-write.ts';

/** A server whose progress says that this batch is there. */
const done = (): SqlPool => {
  const progress = {
    epoch: 1,
    batch_time: 1000,
    plan_hash: 'h',
    log: 'l',
    until_offset: null,
    transaction: '7',
  };
  const client = {
    query: async (text: string) => ({ rows: text.startsWith('SELECT epoch') ? [progress] : [], rowCount: 0 }),
    release: () => undefined,
  };
  return { connect: async () => client };
};

describe('a task of toPostgres', () => {
  it('reads its rows also when they are written already: what does not decode may not be told of yet', async () => {
    const read: number[] = [];
    async function* source(): AsyncGenerator<readonly number[]> {
      for (const n of [1, 2]) {
        read.push(n);
        yield [n];
      }
    }
    const written: unknown[] = [];
    const limits = { idleTimeoutMs: 1000, taskTimeoutMs: 1000 };
    const value = serialize({ output: 'out', progressTable: 'progress', planHash: 'h', log: 'l', ...limits });
    const task = {
      application: 'a',
      epoch: 1,
      batchTime: 1000,
      partitionId: 0,
      signal: new AbortController().signal,
    } as unknown as TaskContextData;
    await writePartition(rowsOf(source()), {
      functions: [done, (rows: unknown) => void written.push(rows)],
      value,
      task,
    });
    expect({ read, written }).toEqual({ read: [1, 2], written: [] });
  });
});
