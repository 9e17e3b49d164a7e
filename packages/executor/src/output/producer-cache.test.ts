import { describe, expect, it } from '@jest/globals';
import type { KafkaClient } from '@millrace/kafka';
import { manualClock } from '../../test/manual-clock.ts';
import { ProducerCache } from './producer-cache.ts';

function setup(limits: { readonly clientsMax?: number; readonly idleMs?: number } = {}) {
  const opened: unknown[] = [];
  const closed: unknown[] = [];
  const clock = manualClock();
  const cache = new ProducerCache({
    clock,
    connect: (options) => {
      opened.push(options);
      return {
        producer: () => ({}),
        close: async () => void closed.push(options),
      } as unknown as KafkaClient;
    },
    ...limits,
  });
  return { cache, clock, opened, closed };
}

describe('a producer cache', () => {
  it('has one client for each set of options, whoever writes and how often', () => {
    const { cache, opened } = setup();
    for (let batch = 0; batch < 1000; batch++) {
      const leases = [cache.lease('1', 'a', 1), cache.lease('1', 'b', 1), cache.lease('2', 'a', 1)];
      for (const lease of leases) lease.release();
    }
    expect(opened).toEqual([1, 2]);
  });

  it('closes what only a dropped application used, when nobody writes with it any more', () => {
    const { cache, closed } = setup();
    cache.lease('1', 'a', 1).release();
    cache.lease('1', 'b', 1).release();
    const open = cache.lease('2', 'a', 1);
    cache.dropApplication('a', 1);
    expect(closed).toEqual([]);
    cache.dropApplication('a', 2);
    expect(closed).toEqual([]);
    open.release();
    open.release();
    expect(closed).toEqual([2]);
    cache.dropApplication('b', 2);
    expect({ closed, size: cache.size }).toEqual({ closed: [2, 1], size: 0 });
  });

  it('closes what is idle for long, and the oldest when there are too many; never what is in use', () => {
    const { cache, clock, closed } = setup({ clientsMax: 2, idleMs: 1000 });
    const first = cache.lease('1', 'a', 1);
    for (const options of ['2', '3', '4']) cache.lease(options, 'a', 1).release();
    expect(closed).toEqual([2, 3]);
    clock.advance(1500);
    expect(closed).toEqual([2, 3, 4]);
    first.release();
    clock.advance(2500);
    expect({ closed, size: cache.size }).toEqual({ closed: [2, 3, 4, 1], size: 0 });
  });
});
