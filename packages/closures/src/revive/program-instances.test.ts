import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Clock } from '@millrace/common';
import { Integrity, NodeTag } from '../snapshot/snapshot-format.ts';
import { NodeReference, type SnapshotNode } from '../snapshot/snapshot-reader.ts';
import { ProgramInstances } from './program-instances.ts';

let log: string[];
let timers: Map<number, () => void>;
let instances: ProgramInstances;

/** Deadlines pass when a test says so. */
const clock = {
  schedule: (_ms: number, callback: () => void) => {
    const id = timers.size;
    timers.set(id, callback);
    return { cancel: () => void timers.delete(id) };
  },
} as unknown as Clock;

beforeEach(() => {
  log = [];
  timers = new Map();
  instances = new ProgramInstances(clock);
});

/** A snapshot with one perExecutor of the closure `site`, under `key`. */
const nodesOf = (site: string, key: string): SnapshotNode[] => [
  {
    tag: NodeTag.PerExecutor,
    isTied: false,
    integrity: Integrity.Extensible,
    values: [key, new NodeReference(1)],
  },
  { tag: NodeTag.Bound, isTied: false, integrity: Integrity.Extensible, values: [new NodeReference(2)] },
  { tag: NodeTag.Closure, isTied: false, integrity: Integrity.Extensible, values: [site] },
];

interface Given {
  readonly create?: () => unknown;
  readonly dispose?: (value: unknown) => unknown;
}

/** A task of `batch` that has the value and calls it; resolves when what it made superfluous is disposed. */
async function task(batch: number, key: string, given: Given = {}, site = 's'): Promise<unknown> {
  const nodes = nodesOf(site, key);
  instances.touch(nodes);
  const get = instances.getter(nodes, nodes[0] as SnapshotNode, () => ({
    create:
      given.create ??
      (() => {
        log.push(`open ${key}`);
        return key;
      }),
    dispose: given.dispose ?? ((value) => void log.push(`close ${String(value)}`)),
  }));
  try {
    return get();
  } finally {
    await instances.endTask(batch);
  }
}

describe('perExecutor values of a process', () => {
  it('are made once for all tasks', async () => {
    for (const batch of [1, 2, 2, 3, 9]) expect(await task(batch, 'a')).toBe('a');
    expect(log).toEqual(['open a']);
  });

  it('are disposed when two later batches used another key of the same place', async () => {
    await task(1, 'a');
    await task(2, 'b');
    await task(2, 'b');
    expect(log).toEqual(['open a', 'open b']);
    await task(3, 'b');
    expect(log).toEqual(['open a', 'open b', 'close a']);
    await task(4, 'a');
    expect(log.at(-1)).toBe('open a');
  });

  it('stay when several keys of one place take turns, and when nobody uses their place', async () => {
    for (const batch of [1, 2, 3, 4]) for (const key of ['a', 'b']) await task(batch, key);
    for (const batch of [5, 6, 7]) await task(batch, 'x', {}, 'elsewhere');
    for (const batch of [8, 9, 10, 11]) await task(batch, batch % 2 === 0 ? 'a' : 'b');
    expect(log).toEqual(['open a', 'open b', 'open x']);
  });

  it('do not go for a task of an older batch that runs again', async () => {
    await task(5, 'b');
    await task(6, 'b');
    await task(1, 'a');
    expect(log).toEqual(['open b', 'open a', 'close a']);
  });

  it('that a task has but did not call are in use', async () => {
    await task(1, 'a');
    for (const batch of [2, 3, 4]) {
      instances.touch(nodesOf('s', 'a'));
      await task(batch, 'b');
    }
    expect(log).toEqual(['open a', 'open b']);
  });

  it('are closed with the program, the latest first; what a factory used after what it made', async () => {
    const inner = (): unknown => {
      const nodes = nodesOf('inner', 'inner');
      return instances.getter(nodes, nodes[0] as SnapshotNode, () => ({
        create: () => 'inner',
        dispose: () => void log.push('close inner'),
      }))();
    };
    await task(1, 'outer', { create: () => [inner()], dispose: () => void log.push('close outer') });
    await task(1, 'last', {}, 'other');
    await instances.close();
    await instances.close();
    expect(log).toEqual(['open last', 'close last', 'close outer', 'close inner']);
  });

  it('close by their own Symbol.asyncDispose or Symbol.dispose', async () => {
    const own = (symbol: symbol, name: string): object => ({ [symbol]: () => void log.push(name) });
    for (const [site, value] of Object.entries({
      a: own(Symbol.dispose, 'dispose'),
      b: Promise.resolve(own(Symbol.asyncDispose, 'asyncDispose')),
      c: { ...own(Symbol.dispose, 'never'), ...own(Symbol.asyncDispose, 'both: asyncDispose') },
      d: null,
    })) {
      const nodes = nodesOf(site, site);
      instances.getter(nodes, nodes[0] as SnapshotNode, () => ({
        create: () => value,
        dispose: undefined,
      }))();
    }
    await instances.close();
    expect(log).toEqual(['both: asyncDispose', 'asyncDispose', 'dispose']);
  });

  it('that could not be made are tried again, and not disposed', async () => {
    let attempts = 0;
    const create = (): unknown => {
      attempts++;
      if (attempts === 1) throw new Error('sync');
      return attempts === 2 ? Promise.reject(new Error('async')) : 'made';
    };
    await expect(task(1, 'a', { create })).rejects.toThrow('sync');
    await expect(task(1, 'a', { create })).rejects.toThrow('async');
    await instances.close();
    expect([log, attempts]).toEqual([[], 2]);
    expect(await task(1, 'a', { create })).toBe('made');
  });

  it('whose disposal fails or never ends do not keep the others from theirs', async () => {
    await task(1, 'a', {}, 'first');
    await task(1, 'b', { dispose: () => new Promise(() => undefined) }, 'second');
    await task(
      1,
      'c',
      {
        dispose: () => {
          throw new Error('no');
        },
      },
      'third',
    );
    const closing = instances.close();
    while (timers.size === 0 || log.length < 3) {
      await new Promise((resolve) => setImmediate(resolve));
      for (const fire of timers.values()) fire();
    }
    await expect(closing).rejects.toMatchObject({
      code: 'USER_CODE',
      what: 'a perExecutor value could not be disposed: no',
      details: { failures: 2 },
    });
    expect(log.at(-1)).toBe('close a');
  });
});
