import { describe, expect, it } from '@jest/globals';
import type { TaskDescription, TaskPreference } from '../task-backend.ts';
import { type Membership, Placement } from './placement.ts';

function members(hosts: Readonly<Record<string, string>>, version = 1): Membership {
  const ids = Object.keys(hosts);
  return { version, ids, idsOnHost: (host) => ids.filter((id) => hosts[id] === host) };
}
function task(partition: number, preference: TaskPreference): TaskDescription {
  return { partition, preference, span: 0, task: new Uint8Array(), describes: `t-${partition}` };
}
const consistent = (partition: number): TaskDescription =>
  task(partition, { kind: 'consistent', key: `t-${partition}`, affinity: `a-${partition}` });
const onHost = (partition: number, host: string): TaskDescription =>
  task(partition, { kind: 'host', host, key: `t-${partition}`, affinity: `a-${partition}` });
const noWarning = (host: string): void => {
  throw new Error(`unexpected: ${host}`);
};

describe('Placement', () => {
  it('has no home for a task that may run anywhere, and none when there is no executor', () => {
    const placement = new Placement();
    expect(placement.homesOf('app', [task(0, { kind: 'any' })], members({ e: 'h' }), 0, noWarning)).toEqual([
      undefined,
    ]);
    expect(placement.homesOf('app', [onHost(0, 'h')], members({}), 0, noWarning)).toEqual([undefined]);
  });

  it('keeps homes when a batch lacks some partitions', () => {
    const placement = new Placement();
    const cluster = members({ e0: 'h', e1: 'h', e2: 'h' });
    const all = Array.from({ length: 9 }, (_, index) => consistent(index));
    const homes = placement.homesOf('app', all, cluster, 0, noWarning);
    const some = placement.homesOf('app', all.slice(0, 2), cluster, 1, noWarning);
    expect(some).toEqual(homes.slice(0, 2));
  });

  it('sends a task to the executor that it names, and anywhere when that is gone', () => {
    const named = (partition: number, executorId: string): TaskDescription =>
      task(partition, { kind: 'executor', executorId, affinity: `stored/${partition}` });
    const homes = new Placement().homesOf(
      'app',
      [named(0, 'e2'), named(1, 'gone')],
      members({ e1: 'h', e2: 'h' }),
      0,
      noWarning,
    );
    expect(homes).toEqual(['e2', undefined]);
  });

  it('prefers executors on the named host, spreads over them, and tells of a host without any', () => {
    const placement = new Placement();
    const cluster = members({ e0: 'h0', e1: 'h1', e2: 'h1' });
    const missing: string[] = [];
    const tasks = [onHost(0, 'h1'), onHost(1, 'h1'), onHost(2, 'h0'), onHost(3, 'nowhere')];
    const homes = placement.homesOf('app', tasks, cluster, 0, (host) => missing.push(host));
    expect(new Set(homes.slice(0, 2))).toEqual(new Set(['e1', 'e2']));
    expect(homes[2]).toBe('e0');
    expect(['e0', 'e1', 'e2']).toContain(homes[3]);
    expect(missing).toEqual(['nowhere']);
  });

  it('lets keys that nobody names any more weigh nothing after ten minutes', () => {
    const placement = new Placement();
    const old = Array.from({ length: 8 }, (_, index) =>
      task(index, { kind: 'consistent', key: `old-${index}`, affinity: '' }),
    );
    placement.homesOf('app', old, members({ e0: 'h', e1: 'h' }), 0, noWarning);
    const homes = placement.homesOf(
      'app',
      Array.from({ length: 8 }, (_, index) => consistent(index)),
      members({ e0: 'h', e1: 'h' }, 2),
      700_000,
      noWarning,
    );
    expect(homes.filter((home) => home === 'e0').length).toBe(4);
  });

  it('remembers the last slot of an affinity', () => {
    const placement = new Placement();
    placement.remember('a', 'e0', 1);
    placement.remember('a', 'e1', 0);
    expect(placement.slotOf('a')).toEqual({ executorId: 'e1', slot: 0 });
    expect(placement.slotOf('b')).toBeUndefined();
  });
});
