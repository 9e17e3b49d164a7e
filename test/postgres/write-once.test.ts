// The protocol of toPostgres against a real server (see use-postgres-under-test.ts: postgresUnderTest).
import { describe, expect, it } from '@jest/globals';
import { MillraceError, seededRandom } from '@millrace/common';
import type { SqlClient } from '../../packages/api/src/postgres/sql-client.ts';
import { until } from '../support/until.ts';
import { type Attempt, gated, usePostgresOutput } from '../support/use-postgres-output.ts';

const { postgres, attempt, texts, untilOffset } = usePostgresOutput();

describe('a batch that is written to PostgreSQL', () => {
  it('is written once, however often its task runs, with its offsets in the same transaction', async () => {
    expect(await attempt('a', { range: [0, 10] })).toBe('written');
    expect(await untilOffset()).toBe(10);
    expect(await attempt('a again', { range: [0, 10] })).toBe('there already');
    expect(await attempt('a by the next run', { range: [0, 10], epoch: 2 })).toBe('there already');
    expect(await attempt('b', { range: [10, 15], time: 2000, epoch: 2 })).toBe('written');
    expect(await texts()).toEqual(['a', 'b']);
    expect(await untilOffset()).toBe(15);
  });

  it('may have no offsets: of a range without records, and behind a shuffle', async () => {
    expect(await attempt('empty', { range: [7, 7] })).toBe('written');
    expect(await attempt('empty', { range: [7, 7] })).toBe('there already');
    expect(await attempt('next', { range: [7, 7], time: 2000 })).toBe('written');
    expect(await attempt('p0', { time: 3000 })).toBe('written');
    expect(await attempt('p1', { time: 3000, partition: 1 })).toBe('written');
    expect(await attempt('p1', { time: 3000, partition: 1 })).toBe('there already');
    expect(await texts()).toEqual(['empty', 'next', 'p0', 'p1']);
  });

  it.each<[string, Attempt, string]>([
    ['begins behind the end of the one before', { range: [11, 20], time: 2000 }, 'OUTPUT_CONFLICT'],
    ['begins before it', { range: [9, 20], time: 2000 }, 'OUTPUT_CONFLICT'],
    ['is older', { range: [10, 20], time: 500 }, 'OUTPUT_CONFLICT'],
    ['is older, of a newer epoch', { range: [10, 20], time: 500, epoch: 2 }, 'OUTPUT_CONFLICT'],
    ['is the same with another plan', { range: [0, 10], planHash: 'other' }, 'OUTPUT_CONFLICT'],
    ['is of an older epoch', { range: [10, 20], time: 2000, epoch: 0 }, 'FENCED'],
  ])('is refused, and leaves nothing, when it %s', async (_, given, code) => {
    await attempt('first', { range: [0, 10] });
    expect(await attempt('second', given)).toBe(code);
    expect(await texts()).toEqual(['first']);
    expect(await untilOffset()).toBe(10);
  });

  it('leaves nothing when its function throws, when a statement fails, when it is cancelled, or when its connection breaks', async () => {
    const cancelled = new AbortController();
    const failing: ReadonlyArray<(client: SqlClient) => unknown> = [
      () => {
        throw new TypeError('no');
      },
      (client) => client.query('SELECT 1 / 0'),
      // Swallowed: what follows must not be committed.
      (client) => client.query('SELECT 1 / 0').catch(() => undefined),
      () => cancelled.abort(new MillraceError('CANCELLED', 'stopped')),
      (client) => client.query('SELECT pg_terminate_backend(pg_backend_pid())'),
    ];
    const results: string[] = [];
    for (const also of failing)
      results.push(await attempt('lost', { range: [0, 10], also, signal: cancelled.signal }));
    expect(results).toEqual([
      'TypeError: no',
      'error: division by zero',
      'OUTPUT_WRITE_FAILED',
      'CANCELLED',
      expect.stringMatching(/terminat/),
    ]);
    expect(await texts()).toEqual([]);
    expect(await attempt('kept', { range: [0, 10] })).toBe('written');
  });

  it('is refused when its function ends the transaction itself', async () => {
    expect(await attempt('x', { range: [0, 10], also: (client) => client.query('COMMIT; BEGIN') })).toBe(
      'USER_CODE',
    );
    expect(await attempt('y', { range: [0, 10], also: (client) => client.query('COMMIT') })).toBe(
      'USER_CODE',
    );
  });

  it('waits for another attempt at the same, and finds its work done', async () => {
    const gate = gated();
    const first = attempt('first', { range: [0, 10], also: () => gate.pass() });
    await gate.reached;
    const second = attempt('second', { range: [0, 10] });
    await until('one that waits', () => postgres.lockIsAwaited());
    gate.open();
    expect([await first, await second]).toEqual(['written', 'there already']);
    expect(await texts()).toEqual(['first']);
  });

  it('does not wait for a stopped attempt longer than that may be idle, and that one writes nothing more', async () => {
    const gate = gated();
    const stopped = attempt('stopped', { range: [0, 10], also: () => gate.pass(), idleTimeoutMs: 400 });
    await gate.reached;
    expect(await attempt('next run', { range: [0, 10], epoch: 2, idleTimeoutMs: 400 })).toBe('written');
    gate.open();
    expect(await stopped).toBe('OUTPUT_WRITE_FAILED');
    expect(await texts()).toEqual(['next run']);
  });

  it('is not written by a task that wakes up after the next batch has begun', async () => {
    expect(await attempt('p0 of 1', { range: [0, 10] })).toBe('written');
    // Its batch was given up: another one begins. Of partition 1 nothing is there yet.
    expect(await attempt('p0 of 2', { range: [10, 20], time: 2000, epoch: 2 })).toBe('written');
    expect(await attempt('p1 of 1', { range: [0, 10], partition: 1 })).toBe('FENCED');
    expect(await attempt('p1 of 1', { range: [0, 10], partition: 1, epoch: 2 })).toBe('OUTPUT_CONFLICT');
    expect(await texts()).toEqual(['p0 of 1', 'p0 of 2']);
  });

  it('waits for those that still write an earlier batch: the next one begins behind them', async () => {
    const gate = gated();
    const late = attempt('p1 of 1', { range: [0, 10], partition: 1, also: () => gate.pass() });
    await gate.reached;
    const next = attempt('p0 of 2', { range: [0, 10], time: 2000, epoch: 2 });
    await until('one that waits', () => postgres.lockIsAwaited());
    expect(await texts()).toEqual([]);
    gate.open();
    expect([await late, await next]).toEqual(['written', 'written']);
  });

  it('of 16 partitions begins at once, with the table still to be made', async () => {
    const tasks = Array.from({ length: 16 }, (_, partition) =>
      attempt(`p${partition}`, { partition, range: [0, 1] }),
    );
    expect(new Set(await Promise.all(tasks))).toEqual(new Set(['written']));
    expect(await texts()).toHaveLength(16);
  });

  it.each([1, 2, 3])(
    'is written once by two runs whose tasks overlap, fail and lose their connections (seed %i)',
    async (seed) => {
      const random = seededRandom(seed);
      const partitions = 3;
      for (let batch = 1; batch <= 6; batch++) {
        const tasks = Array.from({ length: 12 }, (_, i) => {
          const partition = i % partitions;
          const mood = random.next();
          return attempt(`batch ${batch}, partition ${partition}`, {
            range: [batch * 10, batch * 10 + 10],
            time: batch * 1000,
            epoch: random.next() < 0.5 ? batch : batch + 1,
            partition,
            also: (client) => {
              if (mood < 0.2) throw new Error('unlucky');
              if (mood < 0.4) return client.query('SELECT pg_terminate_backend(pg_backend_pid())');
              return client.query('SELECT pg_sleep(0.01)');
            },
          });
        });
        await Promise.all(tasks);
        // What the engine does: until every task has succeeded.
        for (let partition = 0; partition < partitions; partition++) {
          const last = await attempt(`batch ${batch}, partition ${partition}`, {
            range: [batch * 10, batch * 10 + 10],
            time: batch * 1000,
            epoch: batch + 1,
            partition,
          });
          expect(['written', 'there already']).toContain(last);
        }
      }
      const wanted = Array.from(
        { length: 6 * partitions },
        (_, i) => `batch ${1 + Math.floor(i / partitions)}, partition ${i % partitions}`,
      );
      expect(await texts()).toEqual(wanted);
      expect(await untilOffset(2)).toBe(70);
    },
    60_000,
  );
});
