import { describe, expect, it } from '@jest/globals';
import type { Stage } from './stage.ts';
import { localityWaitMs } from './task-set-maker.ts';

const plain = { kind: 'result' } as Stage;
const stateful = (kept: object | undefined) =>
  ({ kind: 'map', stored: { kind: 'stateful', call: { kept } } }) as Stage;

describe('how long a task waits for where it belongs', () => {
  it('is a tenth of the interval, but longer for the slot that holds its keyed state', () => {
    const wait = (stage: Stage, batchInterval: number) =>
      localityWaitMs(stage, { batchInterval, localityWait: undefined });
    expect([wait(plain, 100), wait(plain, 60_000)]).toEqual([10, 3_000]);
    expect([wait(stateful({}), 100), wait(stateful({}), 60_000)]).toEqual([500, 3_000]);
    // No slot holds anything yet.
    expect(wait(stateful(undefined), 100)).toBe(10);
  });

  it('is what the job says', () => {
    const job = { batchInterval: 100, localityWait: 20 };
    expect([localityWaitMs(plain, job), localityWaitMs(stateful({}), job)]).toEqual([20, 20]);
  });
});
