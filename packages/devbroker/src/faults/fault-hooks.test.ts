import { describe, expect, it } from '@jest/globals';
import { MillraceError, seededRandom } from '@millrace/common';
import { API_KEY, type ApiName } from '@millrace/kafka';
import { FaultHooks, type FaultTarget } from './fault-hooks.ts';

function facts(api: ApiName, ...targets: FaultTarget[]) {
  return { apiKey: API_KEY[api], clientId: 'c', nodeId: 1, targets };
}

const error = (code: number) => ({ kind: 'error', code }) as const;

describe('fault hooks', () => {
  it('strike only the requests that match, once by default', () => {
    const hooks = new FaultHooks();
    const fault = hooks.inject({ api: 'Fetch', topic: 't', partition: 1, action: { kind: 'drop' } });
    expect(hooks.strike(facts('Produce', { topic: 't', partition: 1 })).before).toBeUndefined();
    expect(hooks.strike(facts('Fetch', { topic: 't', partition: 0 })).before).toBeUndefined();
    expect(hooks.strike(facts('Fetch', { topic: 'u', partition: 1 })).before).toBeUndefined();
    const both = facts('Fetch', { topic: 't', partition: 0 }, { topic: 't', partition: 1 });
    expect(hooks.strike(both).before).toBe('drop');
    expect(fault.hits).toBe(1);
    expect(hooks.strike(both).before).toBeUndefined();
  });

  it('match by node and by client', () => {
    const hooks = new FaultHooks();
    hooks.inject({ nodeId: 2, times: Infinity, action: error(5) });
    hooks.inject({ clientId: 'other', times: Infinity, action: error(6) });
    expect(hooks.strike(facts('Heartbeat')).errorFor()).toBeUndefined();
    expect(hooks.strike({ ...facts('Heartbeat'), nodeId: 2 }).errorFor()).toBe(5);
    expect(hooks.strike({ ...facts('Heartbeat'), clientId: 'other' }).errorFor()).toBe(6);
  });

  it('give an error only to the partitions that match', () => {
    const hooks = new FaultHooks();
    hooks.inject({ api: 'Produce', topic: 't', partition: 1, action: error(7) });
    const struck = hooks.strike(facts('Produce', { topic: 't', partition: 0 }, { topic: 't', partition: 1 }));
    expect(struck.errorFor('t', 0)).toBeUndefined();
    expect(struck.errorFor('t', 1)).toBe(7);
  });

  it('strike every k-th request after the first ones, a number of times', () => {
    const hooks = new FaultHooks();
    hooks.inject({ after: 2, every: 3, times: 2, action: error(1) });
    const struck = Array.from({ length: 12 }, () => hooks.strike(facts('Metadata')).errorFor() === 1);
    expect(struck.flatMap((hit, i) => (hit ? [i] : []))).toEqual([4, 7]);
  });

  it('strike by chance, and the same seed gives the same run', () => {
    const run = () => {
      const hooks = new FaultHooks();
      hooks.inject({ probability: 0.3, random: seededRandom(5), times: Infinity, action: error(1) });
      return Array.from({ length: 100 }, () => hooks.strike(facts('Metadata')).errorFor() === 1);
    };
    expect(run()).toEqual(run());
    const hits = run().filter(Boolean).length;
    expect(hits).toBeGreaterThan(10);
    expect(hits).toBeLessThan(60);
  });

  it('add up delays, tell before from after, and name the partitions that get a new leader', () => {
    const hooks = new FaultHooks();
    hooks.inject({ action: { kind: 'delay', delayMs: 5 } });
    hooks.inject({ action: { kind: 'delay', delayMs: 7 } });
    hooks.inject({ action: { kind: 'close', when: 'after' } });
    hooks.inject({ topic: 't', action: { kind: 'changeLeader', nodeId: 2 } });
    const struck = hooks.strike(facts('Fetch', { topic: 't', partition: 4 }, { topic: 'u', partition: 0 }));
    expect(struck).toMatchObject({ delayMs: 12, before: undefined, after: 'close' });
    expect(struck.leaderChanges).toEqual([{ target: { topic: 't', partition: 4 }, nodeId: 2 }]);
  });

  it('end when they are removed or cleared', () => {
    const hooks = new FaultHooks();
    const fault = hooks.inject({ times: Infinity, action: error(1) });
    fault.remove();
    hooks.inject({ times: Infinity, action: error(2) });
    hooks.clear();
    expect(hooks.strike(facts('Metadata')).errorFor()).toBeUndefined();
  });

  it.each([{ times: 0 }, { after: -1 }, { every: 0 }, { probability: 2 }, { api: 'Fetsch' as ApiName }])(
    'refuse %j',
    (rule) => {
      expect(() => new FaultHooks().inject({ ...rule, action: error(1) })).toThrow(MillraceError);
    },
  );
});
