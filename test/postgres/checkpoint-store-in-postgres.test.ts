// What only a checkpoint store in PostgreSQL has to stand (a real server: postgresUnderTest).
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { MillraceError, systemClock } from '@millrace/common';
import { openCheckpointStore } from '../../packages/driver/src/application/checkpoint/checkpoint-store.ts';
import { postgresCheckpointStore } from '../../packages/driver/src/application/checkpoint/postgres-store.ts';
import { recoverLog } from '../../packages/driver/src/application/log/log-reader.ts';
import { startPostgres } from '../brokers/postgres.ts';
import { until } from '../support/until.ts';
import { codeOf, LoggedRun, section, useCheckpointStores } from '../support/use-checkpoint-stores.ts';

const { postgres, directory, deps, inPostgres } = useCheckpointStores();

const LONG = process.env['MILLRACE_LONG_TESTS'] === '1';

async function rowsOf(application: string): Promise<number> {
  const { rows } = await postgres.pool.query<{ n: string }>(
    "SELECT count(*) AS n FROM millrace_files WHERE application = $1 AND directory = 'log/state'",
    [application],
  );
  return Number(rows[0]?.n);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('a checkpoint store in PostgreSQL', () => {
  it('is waited for while its server starts again, and loses nothing', async () => {
    const server = await startPostgres();
    const store = await openCheckpointStore(server.url, directory, deps);
    try {
      const run = await LoggedRun.start(store, 'app');
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
    const run = await LoggedRun.start(store, app);
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
    const { state, log } = (await LoggedRun.start(store, app)).files;
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
    // V8 gives array buffers back on a thread of its own: under load a sample has some that are already dead.
    const median = samples.toSorted((a, b) => a - b)[samples.length >> 1];
    expect(median).toBeLessThan(20_000_000);
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
    const run = await LoggedRun.start(store, app);
    const file = run.files.state.create('00000001-1000.state');
    for (let n = 0; n < 20; n++) file.append(section(1_000_000, n));
    const synced = codeOf(() => file.sync());
    await until('some of it', async () => (await rowsOf(app)) > 2);
    await LoggedRun.start(store, app);
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
      await (await LoggedRun.start(store, app)).batches(1);
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
    const failure: unknown = await LoggedRun.start(store, `app-${randomUUID()}`).catch(
      (error: unknown) => error,
    );
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
    await LoggedRun.start(store, app);
    const other = await postgres.pool.connect();
    await other.query('BEGIN');
    await other.query('SELECT FROM millrace_owners WHERE application = $1 FOR SHARE', [app]);
    const next = LoggedRun.start(store, app);
    await until('one that waits', () => postgres.lockIsAwaited());
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
