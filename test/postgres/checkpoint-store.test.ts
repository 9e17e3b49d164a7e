// One suite for every checkpoint store: a directory, and PostgreSQL (a real server: postgresUnderTest).
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MillraceError, seededRandom } from '@millrace/common';
import { decodeStateHeader, STATE_HEADER_BYTES_MAX } from '@millrace/proto/task';
import {
  type CheckpointStore,
  checkpointLocation,
} from '../../packages/driver/src/application/checkpoint/checkpoint-store.ts';
import { loggedEpoch } from '../../packages/driver/src/application/log/application-log.ts';
import { readLog, recoverLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { batch, codeOf, LoggedRun, section, useCheckpointStores } from '../support/use-checkpoint-stores.ts';

const { directory, inDirectory, inPostgres } = useCheckpointStores();

describe.each<[string, () => Promise<CheckpointStore>]>([
  ['a directory', inDirectory],
  ['PostgreSQL', inPostgres],
])('a checkpoint store in %s', (_, open) => {
  let store: CheckpointStore;
  let app: string;
  beforeEach(async () => {
    store = await open();
    app = `app-${randomUUID()}`;
  });
  afterEach(() => store.close());

  it('has nothing of an application that never ran, and writes nothing when it is looked at', async () => {
    for (let times = 0; times < 2; times++) {
      const { log, state } = await store.open(app);
      expect(recoverLog(log)).toMatchObject({ epoch: 0, end: undefined });
      expect([loggedEpoch(log), state.list(), state.size('x')]).toEqual([0, [], undefined]);
    }
  });

  it('remembers positions, commits and the planned batch over starts, each with the next epoch', async () => {
    const first = await LoggedRun.start(store, app);
    await first.batches(3);
    await first.plan(3);
    const second = await LoggedRun.start(store, app);
    expect(second.log.epoch).toBe(2);
    expect(second.log.state).toMatchObject({ lastCommitted: 3000, pending: { ...batch(3), epoch: 1 } });
    await second.commit(3);
    const { batches } = readLog((await store.open(app)).log);
    expect(batches.map(({ planned, committed }) => [planned.batchTime, committed?.epoch])).toEqual([
      [1000, 1],
      [2000, 1],
      [3000, 1],
      [4000, 2],
    ]);
  });

  it('knows what was written between looking at the log and taking it', async () => {
    const looked = await store.open(app);
    await (await LoggedRun.start(store, app)).batches(2);
    const run = await LoggedRun.start(store, app, {}, looked);
    expect([run.log.epoch, run.log.state.lastCommitted]).toEqual([2, 2000]);
  });

  it('keeps applications apart', async () => {
    await (await LoggedRun.start(store, app)).batches(2);
    await (await LoggedRun.start(store, `${app}-2`)).batches(1);
    expect(recoverLog((await store.open(app)).log).state.lastCommitted).toBe(2000);
  });

  it('rotates, and keeps as many segments as it should', async () => {
    const run = await LoggedRun.start(store, app, { segmentBytes: 1000, segmentsRetained: 2 });
    await run.batches(30);
    const { log } = await store.open(app);
    expect(log.list().filter((name) => name.endsWith('.log'))).toHaveLength(3);
    expect(recoverLog(log).state.lastCommitted).toBe(30_000);
    expect(readLog(log).batches.length).toBeGreaterThan(3);
  });

  it('fences who held the log before: what that writes later never counts', async () => {
    const zombie = await LoggedRun.start(store, app);
    await zombie.batches(1);
    const successor = await LoggedRun.start(store, app);
    expect(await codeOf(() => zombie.plan(1))).toBe('FENCED');
    expect(await codeOf(() => zombie.commit(1))).toBe('FENCED');
    expect(successor.log.state.pending).toBeUndefined();
    await successor.batches(2);
    expect(readLog((await store.open(app)).log).batches.map(({ planned }) => planned.epoch)).toEqual([1, 2]);
  });

  it.each([1, 2, 3, 4])('loses nothing that was settled, whoever starts when (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const settled = new Set<number>();
    const live = async (): Promise<void> => {
      for (let starts = 0; starts < 4; starts++) {
        try {
          const run = await LoggedRun.start(store, app, { segmentsRetained: 100 });
          for (let steps = 0; steps < 6; steps++) {
            const n = run.next;
            if (!run.log.state.pending) await run.plan(n);
            if (random.next() < 0.2) break;
            await run.commit(n);
            settled.add(batch(n).batchTime);
          }
        } catch (error) {
          expect(MillraceError.is(error) && error.code).toBe('FENCED');
        }
      }
    };
    await Promise.all([live(), live(), live()]);
    const { log } = await store.open(app);
    const { batches, state } = readLog(log);
    const committed = batches.filter((each) => each.committed).map(({ planned }) => planned.batchTime);
    // One commit of one batch may have been made, and its holder told that it was fenced.
    for (const time of settled) expect(committed).toContain(time);
    expect(committed).toEqual(committed.map((__, i) => 1000 * (i + 1)));
    expect(state.lastCommitted).toBe(committed.at(-1));
  });

  it('begins anew beside what there was, with its state', async () => {
    const run = await LoggedRun.start(store, app);
    await run.batches(2);
    const file = run.files.state.create('00000001-1000.state');
    file.append(Buffer.from('old'));
    await file.sync();
    for (const knownEpoch of [1, 2]) {
      const anew = await LoggedRun.start(store, app, { claim: { knownEpoch, anew: true } });
      expect(anew.log.epoch).toBe(knownEpoch + 1);
      expect(anew.log.state).toMatchObject({ lastCommitted: undefined, pending: undefined });
      expect((await store.open(app)).state.list()).toEqual([]);
    }
  });

  it('refuses a log that does not reach what is known of it, and leaves it as it is', async () => {
    await (await LoggedRun.start(store, app)).batches(1);
    expect(await codeOf(() => LoggedRun.start(store, app, { claim: { knownEpoch: 5, anew: false } }))).toBe(
      'LOG_CORRUPT',
    );
    expect(loggedEpoch((await store.open(app)).log)).toBe(1);
  });

  it('keeps files of state: in pieces, durable when synced, read by parts', async () => {
    const { state } = (await LoggedRun.start(store, app)).files;
    // The last one is more than is written at a time.
    const pieces = [section(300_000, 1), section(7, 2), section(3_000_000, 3)];
    const name = '00000001-1000.state';
    const file = state.create(name);
    for (const piece of pieces) file.append(piece);
    await file.sync();
    const later = state.create('00000001-2000.state');
    later.append(Buffer.from('never synced'));
    file.close();
    const whole = Buffer.concat(pieces);
    const seen = (await store.open(app)).state;
    expect(seen.size(name)).toBe(whole.length);
    let at = 0;
    for (const piece of pieces) {
      // A start reads what sections begin with.
      const head = seen.read(name, at, Math.min(piece.length, STATE_HEADER_BYTES_MAX));
      const { meta, bodyAt } = decodeStateHeader(head, name);
      expect(bodyAt + meta.bodyBytes).toBe(piece.length);
      at += piece.length;
    }
    const parts: Uint8Array[] = [];
    for (let from = 100; from < whole.length; from += 700_000)
      parts.push(await store.readState(app, name, from, Math.min(700_000, whole.length - from)));
    expect(Buffer.concat(parts).equals(whole.subarray(100))).toBe(true);
    expect(await codeOf(() => store.readState(app, name, whole.length, 1))).toBe('STATE_CORRUPT');
    expect(await codeOf(() => store.readState(app, '00000009-1.state', 0, 1))).toBe('STATE_CORRUPT');
    expect(await codeOf(() => seen.read('00000009-1.state', 0, 1))).toBe('STATE_CORRUPT');
    expect(await codeOf(() => state.create(name))).not.toBe('none');
    state.remove(name);
    const after = state.create('00000001-3000.state');
    after.append(Buffer.from('x'));
    await after.sync();
    expect((await store.open(app)).state.list()).not.toContain(name);
  });
});

describe('the option checkpointStore', () => {
  it.each<[string, string]>([
    ['directory', 'directory'],
    ['postgres://h/d', 'postgres://h/d'],
    ['env:STORE', 'postgresql://u:p@h/d'],
    ['file:PATH', 'postgres://in/file'],
  ])('%s is %s', (given, location) => {
    const path = join(directory, 'url');
    writeFileSync(path, 'postgres://in/file\n');
    expect(checkpointLocation(given.replace('PATH', path), { STORE: 'postgresql://u:p@h/d' })).toBe(location);
  });

  it.each(['mysql://u:geheim@h', 'env:NOT_SET', 'file:/not/there', ''])('%j is refused', async (given) => {
    expect(await codeOf(() => checkpointLocation(given, {}))).toBe('CONFIG_INVALID');
    expect(() => checkpointLocation(given, {})).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('geheim') }),
    );
  });
});
