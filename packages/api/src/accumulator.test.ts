import { describe, expect, it } from '@jest/globals';
import { AccumulatorRegistry } from './accumulator.ts';
import { encodeAccumulatorUpdates, taskAccumulator } from './task-accumulator.ts';
import { runWithTaskContext, type TaskContextData } from './task-context.ts';

/** What a task that adds these encodes; items are the arguments of `add`. */
function updatesOf(
  id: string,
  items: readonly (readonly [unknown, number?])[],
  custom?: unknown,
): Uint8Array {
  const updates = new Map<string, unknown>();
  const accumulator = taskAccumulator(id, () => updates, custom);
  for (const [item, amount] of items) accumulator.add(item, amount);
  return encodeAccumulatorUpdates(updates);
}

describe('accumulators', () => {
  it('of sets hold values once, by their contents', () => {
    const registry = new AccumulatorRegistry();
    const set = registry.set<unknown>('s');
    registry.apply(updatesOf('set:1', [[{ a: 1, b: 2 }], ['x'], [Number.NaN]]));
    registry.apply(updatesOf('set:1', [[{ b: 2, a: 1 }], ['x'], [Number.NaN], [1n]]));
    set.add(1);
    expect([...set.value]).toEqual([{ a: 1, b: 2 }, 'x', Number.NaN, 1n, 1]);
    const before = set.value;
    set.reset();
    expect([before.size, set.value.size]).toEqual([5, 0]);
  });

  it('of maps add up by key', () => {
    const registry = new AccumulatorRegistry();
    const map = registry.map<string | readonly number[]>('m');
    registry.apply(updatesOf('counts:1', [['de'], ['fr', 2.5], ['de'], [[1, 2], 3]]));
    registry.apply(
      updatesOf('counts:1', [
        ['fr', -1],
        [[1, 2], 4],
      ]),
    );
    map.add('de');
    expect([...map.value]).toEqual([
      ['de', 3],
      ['fr', 1.5],
      [[1, 2], 7],
    ]);
    expect(() => updatesOf('counts:1', [['de', '1' as unknown as number]])).toThrow(
      'adds numbers, got string',
    );
    expect(() => updatesOf('counts:1', [[() => 1]])).toThrow('a function cannot be a key');
  });

  it('of the user are made by the user, on both sides', () => {
    const registry = new AccumulatorRegistry();
    const kind = {
      zero: () => Number.POSITIVE_INFINITY,
      add: (least: number, item: number) => Math.min(least, item),
      merge: (a: number, b: number) => Math.min(a, b),
    };
    const least = registry.custom<number, number>(kind, 'least');
    registry.apply(updatesOf('custom:1', [[5], [7]], kind));
    registry.apply(updatesOf('custom:1', [[6]], kind));
    least.add(9);
    expect(least.value).toBe(5);
    expect(registry.takeChanges()).toEqual([{ name: 'least', value: '5' }]);
    least.reset();
    expect(least.value).toBe(Number.POSITIVE_INFINITY);
    for (const missing of ['zero', 'add', 'merge']) {
      const partial = { ...kind, [missing]: undefined };
      expect(() => registry.custom(partial, 'x')).toThrow(`needs a function ${missing}`);
    }
  });

  it('name the one whose merge function threw', () => {
    const registry = new AccumulatorRegistry();
    const kind = {
      zero: () => 0,
      add: (a: number) => a + 1,
      merge: (): number => {
        throw new Error('no');
      },
    };
    registry.custom(kind, 'mine');
    const apply = (): void => registry.apply(updatesOf('custom:1', [[1]], kind));
    expect(apply).toThrow(
      expect.objectContaining({ code: 'USER_CODE', what: 'merging accumulator mine threw: no' }),
    );
  });

  it('tell what changed since they were asked, by name, in the order of their making', () => {
    const registry = new AccumulatorRegistry();
    const sum = registry.number('sum', 10);
    const list = registry.list<number>('list');
    registry.number(undefined, 0).add(1);
    registry.set('untouched');
    list.add(1);
    sum.add(2);
    sum.add(3);
    expect(registry.takeChanges()).toEqual([
      { name: 'sum', value: 15, added: 5 },
      { name: 'list', value: 1, added: 1 },
    ]);
    expect(registry.takeChanges()).toEqual([]);
    registry.apply(updatesOf('list:2', [[1], [2]]));
    expect(registry.takeChanges()).toEqual([{ name: 'list', value: 3, added: 2 }]);
  });

  it('report a bounded part of many, of long names and of large states', () => {
    const registry = new AccumulatorRegistry();
    const kind = {
      zero: () => [] as string[],
      add: (s: string[], x: string) => [...s, x],
      merge: (a: string[]) => a,
    };
    for (let i = 0; i < 100; i++) registry.custom(kind, `${i}`.padEnd(500, '-')).add('x'.repeat(1_000));
    const changes = registry.takeChanges();
    expect(changes).toHaveLength(50);
    expect(JSON.stringify(changes).length).toBeLessThan(50 * 400);
    const cyclic: Record<string, unknown> = {};
    cyclic['me'] = cyclic;
    registry.custom({ zero: () => cyclic, add: () => undefined, merge: () => undefined }, 'cyclic').add(1);
    expect(registry.takeChanges()).toEqual([{ name: 'cyclic', value: '(no JSON)' }]);
  });

  it('in a task of the same process count with the task, not at once', async () => {
    const registry = new AccumulatorRegistry();
    const handles = [registry.number('n', 0), registry.map<string>('m')] as const;
    const task = { accumulators: new Map(), completions: [] } as unknown as TaskContextData;
    await runWithTaskContext(task, async () => {
      await Promise.resolve();
      handles[0].add(2);
      handles[1].add('k');
    });
    expect([handles[0].value, handles[1].value.size]).toEqual([0, 0]);
    registry.apply(encodeAccumulatorUpdates(task.accumulators));
    expect([handles[0].value, handles[1].value.get('k')]).toEqual([2, 1]);
  });

  it('are read and reset on the driver only', () => {
    const inTask = taskAccumulator('sum:1', () => new Map()) as unknown as { value: number; reset(): void };
    expect(() => inTask.value).toThrow('on the driver only');
    expect(() => inTask.reset()).toThrow('on the driver only');
    expect(() => taskAccumulator('sum:1', () => undefined).add(1)).toThrow('outside of a task');
  });
});
