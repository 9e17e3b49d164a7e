import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type ExecutorInfo, ExecutorRegistry } from './executor-registry.ts';

const info = (id: string, more: Partial<ExecutorInfo> = {}): ExecutorInfo => ({
  id,
  host: 'h',
  rack: '',
  slots: 2,
  pid: 1,
  blockAddress: 'h:1',
  ...more,
});
const registry = (executorsMax = 100): ExecutorRegistry =>
  new ExecutorRegistry({ timeoutMs: 5_000, executorsMax });

describe('ExecutorRegistry', () => {
  it.each<[string, ExecutorInfo, string]>([
    ['a new one', info('new'), 'registered'],
    ['the same process again', info('e0'), 'replaced'],
    ['another process with a taken id', info('e0', { pid: 2 }), 'refused'],
    ['another host with a taken id', info('e0', { host: 'other' }), 'refused'],
    ['no id', info(''), 'refused'],
    ['no host', info('x', { host: '' }), 'refused'],
    ['no slots', info('x', { slots: 0 }), 'refused'],
    ['too many slots', info('x', { slots: 100_000 }), 'refused'],
  ])('decides about %s', (_what, given, expected) => {
    const executors = registry();
    executors.register(info('e0'), 0, 0);
    expect(executors.register(given, 0, 0).kind).toBe(expected);
  });

  it('takes no more than it may, except those that it knows', () => {
    const executors = registry(1);
    executors.register(info('e0'), 0, 0);
    expect(executors.register(info('e1'), 0, 0).kind).toBe('refused');
    expect(executors.register(info('e0'), 0, 0).kind).toBe('replaced');
  });

  it('loses an executor after five seconds without a heartbeat, and no earlier', () => {
    const executors = registry();
    executors.register(info('e0'), 0, 0);
    executors.register(info('e1'), 0, 0);
    const lost: string[] = [];
    for (let now = 0; now < 6_000; now += 250) {
      if (now % 1_000 === 0) executors.heartbeat('e1', 1, now);
      lost.push(...executors.expire(now).map(({ id }) => `${id} at ${now}`));
    }
    expect(lost).toEqual(['e0 at 5000']);
    expect(executors.heartbeat('e0', 1, 6_000)).toBe(false);
    expect(executors.slotsReady('e0', [0], 6_000)).toBeUndefined();
  });

  it('loses nobody because this process itself stood still', () => {
    const executors = registry();
    executors.register(info('e0'), 0, 0);
    for (let now = 0; now <= 1_000; now += 250) executors.expire(now);
    expect(executors.expire(61_000)).toEqual([]);
    // Silent from then on, it is lost after its time all the same.
    let now = 61_000;
    while (executors.expire(now).length === 0) now += 250;
    expect(now).toBeGreaterThan(63_000);
    expect(now).toBeLessThanOrEqual(66_000);
  });

  it('keeps only slots that were registered', () => {
    const executors = registry();
    executors.register(info('e0'), 0, 0);
    expect(executors.slotsReady('e0', [0, 1, 7], 0)).toEqual([0, 1]);
  });

  it('drains once, and loses once', () => {
    const executors = registry();
    executors.register(info('e0'), 0, 0);
    expect([executors.drain('e0'), executors.drain('e0'), executors.drain('x')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(executors.get('e0')?.state).toBe('DRAINING');
    expect([executors.lose('e0'), executors.lose('e0')]).toEqual([true, false]);
    expect(executors.list()).toEqual([]);
  });

  it('never keeps a silent executor for more than its time and one check', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ id: fc.nat(3), beat: fc.boolean() }), { maxLength: 200 }), (steps) => {
        const executors = registry();
        const heard = new Map<string, number>();
        let now = 0;
        for (const { id, beat } of steps) {
          now += 250;
          const name = `e${id}`;
          if (beat && executors.heartbeat(name, 0, now)) heard.set(name, now);
          else if (executors.get(name) === undefined) {
            executors.register(info(name), now, now);
            heard.set(name, now);
          }
          for (const { id: lost } of executors.expire(now)) {
            expect(now - (heard.get(lost) ?? 0)).toBeGreaterThanOrEqual(5_000);
            heard.delete(lost);
          }
          for (const at of heard.values()) expect(now - at).toBeLessThan(5_000);
        }
      }),
    );
  });
});
