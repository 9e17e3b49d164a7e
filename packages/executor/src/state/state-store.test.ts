import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { keyText } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import { encodeStateSection, type StateSectionRef } from '@millrace/proto/task';
import * as fc from 'fast-check';
import { withDirectory } from '../shuffle/testing/temporary-directory.ts';
import type { FetchState } from './state-load.ts';
import { encodeChanges, encodeSnapshot } from './state-rows.ts';
import { StateStore } from './state-store.ts';
import type { StateTable } from './state-table.ts';

const WANTED = { application: 'a', epoch: 1, operator: 'totals', layout: 'hash/1', partition: 0 };

/** One partition's state, as a slot, the files and a plain Map see it. */
class World {
  store = new StateStore();
  base: StateSectionRef | undefined;
  batchTime = 0;
  fetched = 0;
  readonly model = new Map<string, readonly [unknown, unknown, number]>();
  readonly #directory: string;
  #versions = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  readonly fetch: FetchState = async (_application, { file, offset }) => {
    this.fetched++;
    return { path: join(this.#directory, file), offset, release: () => undefined };
  };

  open() {
    const load = {
      application: 'a',
      operator: 'totals',
      fetch: this.fetch,
      signal: new AbortController().signal,
    };
    return this.store.open({ ...WANTED, batchTime: this.batchTime }, this.base, load);
  }

  /** One attempt of a batch; what it wrote is the state only when it is committed. */
  async attempt(changes: ReadonlyArray<readonly [unknown, unknown]>, commits: boolean, whole: boolean) {
    const state = await this.open();
    for (const [key, value] of changes) {
      const change = state.table.touch(key, this.batchTime);
      change.value = value;
      change.isChanged = true;
    }
    const isWhole = whole || this.base === undefined;
    const keys = state.table.sizeAfter;
    const body = isWhole ? encodeSnapshot(state.table, 'job.ts:1') : encodeChanges(state.table, 'job.ts:1');
    const version = `v${this.batchTime}-${this.#versions++}`;
    const section = encodeStateSection(
      {
        ...WANTED,
        valueVersion: 0,
        kind: isWhole ? 'snapshot' : 'delta',
        version,
        ...(this.base && { previous: this.base }),
        batchTime: this.batchTime,
        keys,
        changed: body.changed,
        removed: body.removed,
      },
      body.blocks,
    );
    state.made(version);
    if (!commits) return;
    await writeFile(join(this.#directory, version), section);
    this.base = { file: version, offset: 0, bytes: section.length, version };
    for (const [key, value] of changes) {
      if (value === undefined) this.model.delete(keyText(key));
      else {
        this.model.delete(keyText(key));
        this.model.set(keyText(key), [key, value, this.batchTime]);
      }
    }
  }

  async rows(): Promise<readonly unknown[]> {
    const { table } = await this.open();
    return rowsOf(table);
  }
}

const rowsOf = (table: StateTable): readonly unknown[] =>
  [...table.rows()].map(({ key, value, at }) => [key, value, at]);

const key = fc.oneof(
  fc.constantFrom('a', 'b', '', 'é', 0, -0, 1n, null, true),
  fc.tuple(fc.constant('t'), fc.integer({ min: 0, max: 2 })),
);
const value = fc.oneof(
  fc.constant(undefined),
  fc.integer(),
  fc.string(),
  fc.record({ n: fc.integer() }),
  fc.integer().map((n) => new Map([['n', n]])),
);
const step = fc.record({
  changes: fc.array(fc.tuple(key, value), { maxLength: 6 }),
  ends: fc.constantFrom('commits', 'commits', 'commits', 'fails', 'lost'),
  whole: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
});

describe('the state of a partition', () => {
  it('is that of the version that a task names, whatever attempts failed and whatever was lost, and in order of last touch', async () => {
    await withDirectory(async (directory) => {
      let run = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          const world = new World(directory);
          // Of versions, too: they are unique over runs, as they are in life.
          world.batchTime = ++run * 1000;
          for (const { changes, ends, whole } of steps) {
            world.batchTime++;
            const unique = [...new Map(changes.map((change) => [keyText(change[0]), change])).values()];
            await world.attempt(unique, ends === 'commits', whole);
            if (ends === 'lost') world.store = new StateStore();
          }
          world.batchTime++;
          const byTime = [...world.model.values()].toSorted((a, b) => a[2] - b[2]);
          const kept = await world.rows();
          world.store = new StateStore();
          const loaded = await world.rows();
          expect(kept).toEqual(loaded);
          expect(new Set(kept.map((row) => JSON.stringify((row as unknown[])[2])))).toEqual(
            new Set(byTime.map(([, , at]) => String(at))),
          );
          expect(new Map(kept.map((row) => [keyText((row as unknown[])[0]), (row as unknown[])[1]]))).toEqual(
            new Map([...world.model].map(([text, [, of]]) => [text, of])),
          );
          const times = kept.map((row) => (row as number[])[2]);
          expect(times).toEqual(times.toSorted((a, b) => Number(a) - Number(b)));
        }),
        { numRuns: 100 },
      );
    });
  }, 60_000);

  it('reads nothing when it is here, and only what is new when it is behind', async () => {
    await withDirectory(async (directory) => {
      const world = new World(directory);
      await world.attempt([['a', 1]], true, true);
      const behind = new StateStore();
      const here = world.store;
      for (const n of [2, 3, 4]) {
        world.batchTime++;
        await world.attempt([['a', n]], true, false);
        if (n === 2) {
          world.store = behind;
          await world.open();
          world.store = here;
          expect(world.fetched).toBe(2);
        }
      }
      expect(world.fetched).toBe(2);
      world.store = behind;
      expect(await world.rows()).toEqual([['a', 4, 3]]);
      expect(world.fetched).toBe(4);
    });
  });

  it('is read anew when a function may have changed an object of it and its batch runs again', async () => {
    await withDirectory(async (directory) => {
      const world = new World(directory);
      await world.attempt([['a', { n: 1 }]], true, true);
      const state = await world.open();
      state.soil();
      const change = state.table.touch('a', 1);
      (change.value as { n: number }).n = 99;
      expect(await world.rows()).toEqual([['a', { n: 1 }, 0]]);
      expect(world.fetched).toBe(1);
    });
  });

  it('holds values that share nothing, as its files do', async () => {
    await withDirectory(async (directory) => {
      const world = new World(directory);
      const shared = { date: new Date(5), bytes: Uint8Array.of(5), numbers: Float64Array.of(5) };
      await world.attempt(
        [
          ['a', { ...shared }],
          ['b', shared],
        ],
        true,
        true,
      );
      const { table } = await world.open();
      const { date, bytes, numbers } = table.touch('a', 1).value as typeof shared;
      date.setTime(9);
      bytes[0] = 9;
      numbers[0] = 9;
      expect([...table.rows()].at(-1)?.value).toEqual({
        date: new Date(5),
        bytes: Uint8Array.of(5),
        numbers: Float64Array.of(5),
      });
    });
  });

  it('refuses files of which any byte is another one, or that are cut off', async () => {
    await withDirectory(async (directory) => {
      const world = new World(directory);
      await world.attempt(
        [
          ['a', { n: 1 }],
          [['t', 1], 'x'],
        ],
        true,
        true,
      );
      await world.attempt([['a', undefined]], true, false);
      const { file = '' } = world.base ?? {};
      const path = join(directory, file);
      const good = await readFile(path);
      const read = async (): Promise<unknown> => {
        world.store = new StateStore();
        return world.rows().then(
          () => 'read',
          (error: unknown) =>
            MillraceError.is(error) ? `${error.code} ${error.what.includes(file)}` : error,
        );
      };
      for (let at = 0; at < good.length; at++) {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ 1;
        await writeFile(path, bad);
        // A newer format is no damage; it is refused, too.
        expect([at, ['STATE_CORRUPT true', 'VERSION_MISMATCH true'].includes(String(await read()))]).toEqual([
          at,
          true,
        ]);
      }
      for (const bytes of [0, 8, 20, good.length - 1]) {
        await writeFile(path, good.subarray(0, bytes));
        expect(await read()).toBe('STATE_CORRUPT true');
      }
      await writeFile(path, good);
      expect(await read()).toBe('read');
    });
  }, 60_000);
});
