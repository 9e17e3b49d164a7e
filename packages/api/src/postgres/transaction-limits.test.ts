import { expect, it } from '@jest/globals';
import { beginTransaction } from './transaction-limits.ts';

it.each([1_500.5, 30 * 24 * 3_600_000])(
  'a task of %d ms has time-outs that PostgreSQL takes',
  (taskTimeoutMs) => {
    const text = beginTransaction('app/out', { idleTimeoutMs: 60_000, taskTimeoutMs });
    const times = [...text.matchAll(/\w+_timeout = ([0-9.]+)/g)].map(([, ms]) => Number(ms));
    expect(times.length).toBeGreaterThanOrEqual(4);
    for (const ms of times) expect(Number.isInteger(ms) && ms > 0 && ms < 2 ** 31).toBe(true);
  },
);
