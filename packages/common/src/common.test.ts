import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { systemClock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import { durationMs } from './duration.ts';
import { nearestName } from './nearest-name.ts';
import { randomInt, seededRandom } from './random.ts';
import { transition } from './state-machine.ts';
import { MILLRACE_VERSION } from './versions.ts';

describe('durations', () => {
  it.each([
    [250, 250],
    ['250ms', 250],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
  ])('reads %p as %p ms', (given, expected) => expect(durationMs(given)).toBe(expected));

  it.each(['', '5', '5 s', '-1s', 'soon', '1e3s'])('refuses %p', (given) => {
    expect(() => durationMs(given)).toThrow('is not a duration');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('refuses the number %p', (given) => {
    expect(() => durationMs(given)).toThrow('CONFIG_INVALID');
  });
});

describe('deadlines', () => {
  it('gives the value, or DEADLINE_EXCEEDED naming the work', async () => {
    await expect(withDeadline(Promise.resolve(5), 1000, 'it')).resolves.toBe(5);
    await expect(withDeadline(new Promise(() => undefined), 5, 'the wait')).rejects.toThrow(
      'the wait did not finish within 5 ms [DEADLINE_EXCEEDED]',
    );
  });

  it('ends a sleep when its signal is aborted', async () => {
    const abort = new AbortController();
    const sleep = systemClock.sleep(60_000, abort.signal);
    abort.abort();
    await expect(sleep).rejects.toThrow();
  });
});

describe('chance', () => {
  it('repeats itself for a seed and differs for another', () => {
    const draw = (seed: number): number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 50 }, () => randomInt(random, 1000));
    };
    expect(draw(42)).toEqual(draw(42));
    expect(draw(42)).not.toEqual(draw(43));
    expect(Math.max(...draw(42))).toBeLessThan(1000);
  });
});

describe('names and states', () => {
  it('offers the nearest name, or none when nothing is near', () => {
    expect(nearestName('brokrs', ['brokers', 'groupId'])).toBe('brokers');
    expect(nearestName('zzzzzz', ['brokers', 'groupId'])).toBeUndefined();
  });

  it('says the version that the packages have', () => {
    const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
    expect(JSON.parse(manifest)).toMatchObject({ version: MILLRACE_VERSION });
  });

  it('refuses a move that the table does not have', () => {
    const table = { RUNNING: ['DONE'], DONE: [] } as const;
    expect(transition(table, 'stage 4', 'RUNNING', 'DONE')).toBe('DONE');
    expect(() => transition(table, 'stage 4', 'DONE', 'RUNNING')).toThrow(
      'stage 4 cannot go from DONE to RUNNING',
    );
  });
});
