import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { Pool } from 'pg';
import { postgresUnderTest } from '../brokers/postgres.ts';

const TIMEOUT_MS = 120_000;

export interface PostgresOfFile {
  readonly url: string;
  readonly pool: Pool;
  /** A schema of this file's own; it goes after the tests. */
  readonly schema: string;
  /** Whether a statement of anybody waits for a lock. */
  lockIsAwaited(): Promise<boolean>;
}

/** Call it at the top of a test file, before its own `beforeAll`. */
export function usePostgresUnderTest(): PostgresOfFile {
  const schema = `test_${randomUUID().replaceAll('-', '')}`;
  let started: { readonly url: string; stop(): Promise<void>; readonly pool: Pool } | undefined;
  beforeAll(async () => {
    const server = await postgresUnderTest();
    const pool = new Pool({ connectionString: server.url, max: 30 });
    // Tests end connections from the other side.
    pool.on('error', () => undefined);
    started = { url: server.url, stop: () => server.stop(), pool };
    await pool.query(`CREATE SCHEMA ${schema}`);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await started?.pool.query(`DROP SCHEMA ${schema} CASCADE`);
    await started?.pool.end();
    await started?.stop();
  }, TIMEOUT_MS);
  const there = () => {
    if (started === undefined) throw new Error('PostgreSQL is there from beforeAll on');
    return started;
  };
  return {
    schema,
    get url() {
      return there().url;
    },
    get pool() {
      return there().pool;
    },
    async lockIsAwaited() {
      const { rows } = await there().pool.query(
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND wait_event_type = 'Lock'",
      );
      return rows.length > 0;
    },
  };
}
