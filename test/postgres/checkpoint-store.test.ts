// One suite for every checkpoint store: a directory, and PostgreSQL (a real server: postgresUnderTest).
import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MillraceError, seededRandom, silentLogger, systemClock } from '@millrace/common';
import { decodeStateHeader, encodeStateSection, STATE_HEADER_BYTES_MAX } from '@millrace/proto/task';
import {
  type CheckpointFiles,
  type CheckpointStore,
  checkpointLocation,
  IN_DIRECTORY,
  openCheckpointStore,
} from '../../packages/driver/src/application/checkpoint/checkpoint-store.ts';
import { postgresCheckpointStore } from '../../packages/driver/src/application/checkpoint/postgres-store.ts';
import { ApplicationLog, loggedEpoch } from '../../packages/driver/src/application/log/application-log.ts';
import { readLog, recoverLog } from '../../packages/driver/src/application/log/log-reader.ts';
import type { PlannedBatch } from '../../packages/driver/src/application/log/log-record.ts';
import { startPostgres } from '../brokers/postgres.ts';
import { until } from '../support/until.ts';
import { usePostgresUnderTest } from '../support/use-postgres-under-test.ts';

const postgres = usePostgresUnderTest();
const directory = mkdtempSync(join(tmpdir(), 'millrace-checkpoint-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';

const deps = { clock: systemClock, logger: silentLogger };
const METRICS = { records: 10, tasks: 1, processingMs: 1 };

const inPostgres = (): Promise<CheckpointStore> => openCheckpointStore(postgres.url, directory, deps);

/** Batch n reads [10n, 10n + 10). */
function batch(n: number): Omit<PlannedBatch, 'epoch'> {
  const range = { topic: 't', partition: 0, fromOffset: 10 * n, untilOffset: 10 * n + 10 };
  const inputs = [{ inputId: 0, ranges: [{ ...range, topicId: 'A', leaderEpoch: 1 }] }];
  return { batchTime: 1000 * (n + 1), programHash: 'p', planHash: `h${n}`, intervals: 1, inputs };
}

/** Of keyed state: a header, and so many bytes. */
function section(bodyBytes: number, fill: number): Buffer {
  const meta = {
    application: 'a',
    operator: 'o',
    partition: 0,
    layout: 'hash/1',
    valueVersion: 0,
    kind: 'snapshot',
    version: `v${fill}`,
    epoch: 1,
    batchTime: 1000,
    keys: 1,
    changed: 1,
    removed: 0,
  } as const;
  return encodeStateSection(meta, [Buffer.alloc(bodyBytes, fill)]);
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
  return 'none';
}

/** One run of an application. */
class Run {
  readonly files: CheckpointFiles;
  readonly log: ApplicationLog;

  private constructor(files: CheckpointFiles, log: ApplicationLog) {
    this.files = files;
    this.log = log;
  }

  static async start(
    store: CheckpointStore,
    application: string,
    options: Partial<Parameters<typeof ApplicationLog.open>[0]> = {},
    opened?: CheckpointFiles,
  ): Promise<Run> {
    const files = opened ?? (await store.open(application));
    await files.log.take?.();
    const limits = { segmentBytes: 1 << 20, segmentsRetained: 8 };
    const log = ApplicationLog.open({ files: files.log, logger: silentLogger, ...limits, ...options });
    await log.settled();
    return new Run(files, log);
  }

  get next(): number {
    return (this.log.state.lastCommitted ?? 0) / 1000;
  }

  async plan(n: number): Promise<void> {
    this.log.plan(batch(n));
    await this.log.settled();
  }

  async commit(n: number): Promise<void> {
    this.log.commit(batch(n).batchTime, METRICS);
    await this.log.settled();
  }

  async batches(end: number): Promise<void> {
    for (let n = this.next; n < end; n++) {
      await this.plan(n);
      await this.commit(n);
    }
  }
}

async function rowsOf(application: string): Promise<number> {
  const { rows } = await postgres.pool.query<{ n: string }>(
    "SELECT count(*) AS n FROM millrace_files WHERE application = $1 AND directory = 'log/state'",
    [application],
  );
  return Number(rows[0]?.n);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe.each<[string, () => Promise<CheckpointStore>]>([
  ['a directory', () => openCheckpointStore(IN_DIRECTORY, directory, deps)],
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
    const first = await Run.start(store, app);
    await first.batches(3);
    await first.plan(3);
    const second = await Run.start(store, app);
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
    await (await Run.start(store, app)).batches(2);
    const run = await Run.start(store, app, {}, looked);
    expect([run.log.epoch, run.log.state.lastCommitted]).toEqual([2, 2000]);
  });

  it('keeps applications apart', async () => {
    await (await Run.start(store, app)).batches(2);
    await (await Run.start(store, `${app}-2`)).batches(1);
    expect(recoverLog((await store.open(app)).log).state.lastCommitted).toBe(2000);
  });

  it('rotates, and keeps as many segments as it should', async () => {
    const run = await Run.start(store, app, { segmentBytes: 1000, segmentsRetained: 2 });
    await run.batches(30);
    const { log } = await store.open(app);
    expect(log.list().filter((name) => name.endsWith('.log'))).toHaveLength(3);
    expect(recoverLog(log).state.lastCommitted).toBe(30_000);
    expect(readLog(log).batches.length).toBeGreaterThan(3);
  });

  it('fences who held the log before: what that writes later never counts', async () => {
    const zombie = await Run.start(store, app);
    await zombie.batches(1);
    const successor = await Run.start(store, app);
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
          const run = await Run.start(store, app, { segmentsRetained: 100 });
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
    const run = await Run.start(store, app);
    await run.batches(2);
    const file = run.files.state.create('00000001-1000.state');
    file.append(Buffer.from('old'));
    await file.sync();
    for (const knownEpoch of [1, 2]) {
      const anew = await Run.start(store, app, { claim: { knownEpoch, anew: true } });
      expect(anew.log.epoch).toBe(knownEpoch + 1);
      expect(anew.log.state).toMatchObject({ lastCommitted: undefined, pending: undefined });
      expect((await store.open(app)).state.list()).toEqual([]);
    }
  });

  it('refuses a log that does not reach what is known of it, and leaves it as it is', async () => {
    await (await Run.start(store, app)).batches(1);
    expect(await codeOf(() => Run.start(store, app, { claim: { knownEpoch: 5, anew: false } }))).toBe(
      'LOG_CORRUPT',
    );
    expect(loggedEpoch((await store.open(app)).log)).toBe(1);
  });

  it('keeps files of state: in pieces, durable when synced, read by parts', async () => {
    const { state } = (await Run.start(store, app)).files;
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

describe('a checkpoint store in PostgreSQL', () => {
  it('is waited for while its server starts again, and loses nothing', async () => {
    const server = await startPostgres();
    const store = await openCheckpointStore(server.url, directory, deps);
    try {
      const run = await Run.start(store, 'app');
      await run.batches(2);
      await server.kill();
      const going = run.batches(4);
      await server.start();
      await going;
      await server.kill();
      await server.start();
      expect(recoverLog((await store.open('app')).log).state.lastCommitted).toBe(4000);
    } finally {
      await store.close();
      await server.stop();
    }
  }, 60_000);

  it('fences a holder whose write waited for the lock that the next one takes', async () => {
    const store = await inPostgres();
    const app = `app-${randomUUID()}`;
    const run = await Run.start(store, app);
    const other = await postgres.pool.connect();
    await other.query('BEGIN');
    await other.query('UPDATE millrace_owners SET token = token + 1 WHERE application = $1', [app]);
    const planned = codeOf(() => run.plan(0));
    await until('a write that waits', () => postgres.lockIsAwaited());
    await other.query('COMMIT');
    other.release();
    expect(await planned).toBe('FENCED');
    expect(recoverLog((await store.open(app)).log).state.pending).toBeUndefined();
    await store.close();
  });

  it('keeps state of any size in little time a statement, and little memory', async () => {
    const statementTimeoutMs = 1_000;
    const options = { ...deps, waitingDirectory: directory, statementTimeoutMs };
    const store = postgresCheckpointStore(postgres.url, options);
    const app = `app-${randomUUID()}`;
    const { state, log } = (await Run.start(store, app)).files;
    const name = '00000001-1000.state';
    const file = state.create(name);
    const written = createHash('sha256');
    let bytes = 0;
    const append = (piece: Buffer): void => {
      file.append(piece);
      written.update(piece);
      bytes += piece.length;
    };
    const held = (): number => {
      collectGarbage();
      return process.memoryUsage().arrayBuffers;
    };
    const before = held();
    append(section((LONG ? 150 : 30) * 1_000_000, 1));
    for (let n = 2; n < 52; n++) append(section(1_000_000, n));
    const samples: number[] = [];
    const watch = setInterval(() => void samples.push(held() - before), 200);
    await file.sync();
    clearInterval(watch);
    file.close();
    expect(samples.length).toBeGreaterThan(3);
    expect(Math.max(...samples)).toBeLessThan(20_000_000);
    expect((await store.open(app)).state.size(name)).toBe(bytes);
    const read = createHash('sha256');
    for (let at = 0; at < bytes; at += 4_000_000)
      read.update(await store.readState(app, name, at, Math.min(4_000_000, bytes - at)));
    expect(read.digest('hex')).toBe(written.digest('hex'));
    expect(readdirSync(directory).filter((each) => each.includes('pieces'))).toEqual([]);
    state.remove(name);
    await log.settled?.();
    expect((await store.open(app)).state.list()).toEqual([]);
    await store.close();
  }, 120_000);

  it('fences a holder in the middle of large state', async () => {
    const store = await inPostgres();
    const app = `app-${randomUUID()}`;
    const run = await Run.start(store, app);
    const file = run.files.state.create('00000001-1000.state');
    for (let n = 0; n < 20; n++) file.append(section(1_000_000, n));
    const synced = codeOf(() => file.sync());
    await until('some of it', async () => (await rowsOf(app)) > 2);
    await Run.start(store, app);
    const rows = await rowsOf(app);
    expect(await synced).toBe('FENCED');
    expect(await rowsOf(app)).toBe(rows);
    await store.close();
  });

  it('stands on its own settings, whatever URL and role say', async () => {
    const { pool, url } = postgres;
    const role = `weak_${randomUUID().slice(0, 8)}`;
    await pool.query(`CREATE ROLE ${role} LOGIN SUPERUSER; ALTER ROLE ${role} SET synchronous_commit = off`);
    const weak = new URL(url);
    weak.username = role;
    weak.searchParams.set('options', '-c synchronous_commit=off -c statement_timeout=0');
    weak.searchParams.set('statement_timeout', '0');
    weak.searchParams.set('query_timeout', '1');
    const store = await openCheckpointStore(weak.href, directory, deps);
    const app = `app-${randomUUID()}`;
    // A write asks the server what it stands on.
    const made = `settings_${randomUUID().slice(0, 8)}`;
    await pool.query(`CREATE TABLE ${postgres.schema}.${made} (name text, setting text);
CREATE FUNCTION ${postgres.schema}.${made}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF new.application = '${app}' THEN INSERT INTO ${postgres.schema}.${made} SELECT name, setting FROM pg_settings
    WHERE name IN ('synchronous_commit', 'statement_timeout', 'transaction_timeout', 'client_connection_check_interval'); END IF;
  RETURN new; END $$;
CREATE TRIGGER ${made} BEFORE INSERT ON millrace_owners FOR EACH ROW EXECUTE FUNCTION ${postgres.schema}.${made}()`);
    try {
      await (await Run.start(store, app)).batches(1);
      const { rows } = await pool.query(`SELECT * FROM ${postgres.schema}.${made} ORDER BY name`);
      expect(rows.map(({ name, setting }) => `${name}=${setting}`)).toEqual([
        'client_connection_check_interval=2000',
        'statement_timeout=15000',
        'synchronous_commit=on',
        'transaction_timeout=15000',
      ]);
    } finally {
      await store.close();
      await pool.query(`DROP TRIGGER ${made} ON millrace_owners; DROP ROLE ${role}`);
    }
  });

  it('says that a server is read only', async () => {
    const other = await inPostgres();
    // Tables are there.
    await other.open('any');
    await other.close();
    const url = new URL(postgres.url);
    url.searchParams.set('options', '-c default_transaction_read_only=on');
    const store = await openCheckpointStore(url.href, directory, deps);
    const failure: unknown = await Run.start(store, `app-${randomUUID()}`).catch((error: unknown) => error);
    expect(MillraceError.is(failure, 'LOG_WRITE_FAILED') && failure.remedy).toContain('takes writes');
    await store.close();
  });

  it('waits for a lock longer than one statement may', async () => {
    const store = postgresCheckpointStore(postgres.url, {
      ...deps,
      waitingDirectory: directory,
      statementTimeoutMs: 300,
    });
    const app = `app-${randomUUID()}`;
    await Run.start(store, app);
    const other = await postgres.pool.connect();
    await other.query('BEGIN');
    await other.query('SELECT FROM millrace_owners WHERE application = $1 FOR SHARE', [app]);
    const next = Run.start(store, app);
    // Several times over.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await other.query('COMMIT');
    other.release();
    expect((await next).log.epoch).toBe(2);
    await store.close();
  });

  it('says where it is, without the password', async () => {
    const store = await openCheckpointStore('postgres://u:geheim@127.0.0.1:1/x', directory, {
      ...deps,
      // Nobody waits half a minute here.
      clock: { ...systemClock, monotonic: () => systemClock.monotonic() * 1000 },
    });
    const error = await store.open('app').catch((thrown: unknown) => thrown);
    expect(MillraceError.is(error, 'LOG_WRITE_FAILED') && error.message).toContain(
      'postgres://127.0.0.1:1/x',
    );
    expect(JSON.stringify(MillraceError.toRecord(error))).not.toContain('geheim');
    await store.close();
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
