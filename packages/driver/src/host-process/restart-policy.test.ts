import { describe, expect, it } from '@jest/globals';
import { nextRestart } from './restart-policy.ts';

describe('nextRestart', () => {
  it('starts again at once, then waits twice as long each time, then gives up', () => {
    const restarts: number[] = [];
    const waits = Array.from({ length: 6 }, () => {
      const wait = nextRestart(restarts, 1000);
      restarts.push(1000);
      return wait;
    });
    expect(waits).toEqual([0, 500, 1000, 2000, 4000, 'give-up']);
  });

  it('forgets restarts of more than ten minutes ago', () => {
    expect(nextRestart([0, 0, 0, 0, 0], 599_999)).toBe('give-up');
    expect(nextRestart([0, 0, 0, 0, 599_000], 600_000)).toBe(500);
  });
});
