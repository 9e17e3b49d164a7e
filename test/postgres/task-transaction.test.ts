// What the transaction of a task of toPostgres waits for, and how it ends, on a real server (postgresUnderTest).
import { describe, expect, it } from '@jest/globals';
import { MillraceError } from '@millrace/common';
import { Pool } from 'pg';
import type { SqlClient, SqlPool } from '../../packages/api/src/postgres/sql-client.ts';
import { startPostgres } from '../brokers/postgres.ts';
import { until } from '../support/until.ts';
import { usePostgresOutput } from '../support/use-postgres-output.ts';

const { postgres, table, write, attempt, texts } = usePostgresOutput();

async function sleeps(): Promise<boolean> {
  const { rows } = await postgres.pool.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
  return rows.length > 0;
}

describe('the transaction of a task', () => {
  it('does not outlive it, whatever becomes of its client, and says whose it is', async () => {
    let settings: unknown;
    await write('x', {
      taskTimeoutMs: 20_000,
      async also(client) {
        const { rows } = await client.query(
          `SELECT name, setting FROM pg_settings WHERE name = ANY('{lock_timeout,statement_timeout,transaction_timeout,idle_in_transaction_session_timeout,client_connection_check_interval,tcp_keepalives_idle,application_name}')`,
        );
        settings = Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
      },
    });
    expect(settings).toEqual({
      application_name: 'millrace app/out',
      client_connection_check_interval: '2000',
      idle_in_transaction_session_timeout: '5000',
      lock_timeout: '16000',
      statement_timeout: '20000',
      tcp_keepalives_idle: '10',
      transaction_timeout: '20000',
    });
  });

  it('ends with a client that is gone in the middle of a statement', async () => {
    const lost = attempt('lost', {
      async also(client) {
        const sleeping = client.query('SELECT pg_sleep(60)');
        // What a killed process, or a machine without power, leaves.
        (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
        await sleeping;
      },
    });
    expect(await lost).not.toBe('written');
    expect(await attempt('next', { epoch: 2 })).toBe('written');
  }, 20_000);

  it('ends with the time of its task, in the middle of a statement, too', async () => {
    const sleep = (client: SqlClient) => client.query('SELECT pg_sleep(60)');
    const overdue = attempt('overdue', { taskTimeoutMs: 700, also: sleep });
    await until('its statement', sleeps);
    expect(await attempt('next', { epoch: 2 })).toBe('written');
    expect(await overdue).toMatch(/timeout/);
    expect(await texts()).toEqual(['next']);
  }, 20_000);

  it('keeps a shorter time-out that the job has set', async () => {
    const pool = new Pool({ connectionString: postgres.url, max: 1, statement_timeout: 4000 });
    let timeout: unknown;
    await write('x', {
      pool,
      async also(client) {
        timeout = (await client.query('SHOW statement_timeout')).rows[0]?.['statement_timeout'];
      },
    });
    await pool.end();
    expect(timeout).toBe('4s');
  });

  it('is durable when it has committed, whatever the role says', async () => {
    const settings: unknown[] = [];
    for (const wanted of ['off', 'local', 'on', 'remote_apply']) {
      const options = `-c synchronous_commit=${wanted}`;
      const pool = new Pool({ connectionString: postgres.url, max: 1, options });
      await write('x', {
        pool,
        time: 1000 + settings.length,
        async also(client) {
          settings.push((await client.query('SHOW synchronous_commit')).rows[0]?.['synchronous_commit']);
        },
      });
      await pool.end();
    }
    expect(settings).toEqual(['on', 'on', 'on', 'remote_apply']);
  });

  it('waits with patience for another that is busy, longer than that may be idle', async () => {
    const busy = attempt('busy', {
      idleTimeoutMs: 1_500,
      also: (client) => client.query('SELECT pg_sleep(6)'),
    });
    await until('its statement', sleeps);
    expect(await attempt('same part', { idleTimeoutMs: 1_500 })).toBe('there already');
    expect(await busy).toBe('written');
  }, 20_000);

  it('says who holds the lock that it has waited for in vain', async () => {
    expect(await attempt('first')).toBe('written');
    const other = await postgres.pool.connect();
    try {
      await other.query(`SET application_name = 'somebody''s shell'`);
      await other.query(`BEGIN; SELECT FROM ${table()} FOR UPDATE`);
      const { rows } = await other.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const failure: unknown = await write('second', { time: 2000, taskTimeoutMs: 1000 }).catch(
        (error: unknown) => error,
      );
      expect(MillraceError.is(failure, 'OUTPUT_WRITE_FAILED') && failure.what).toContain(
        `pid ${rows[0]?.pid} ("somebody's shell", idle in transaction, `,
      );
    } finally {
      other.release(true);
    }
    expect(await attempt('second', { time: 2000 })).toBe('written');
  });

  it('says that a server takes no writes', async () => {
    expect(await attempt('first')).toBe('written');
    const pool = new Pool({
      connectionString: postgres.url,
      max: 1,
      options: '-c default_transaction_read_only=on',
    });
    const failure: unknown = await write('x', { pool }).catch((error: unknown) => error);
    await pool.end();
    expect(MillraceError.is(failure, 'OUTPUT_WRITE_FAILED') && failure.remedy).toContain('takes writes');
  });

  it('may keep its progress in a table that is named as a word of SQL', async () => {
    const progressTable = `${postgres.schema}.order`;
    expect(await attempt('x', { progressTable })).toBe('written');
    expect(await attempt('y', { progressTable })).toBe('there already');
    await postgres.pool.query(`DROP TABLE ${postgres.schema}."order"`);
  });

  it('waits for a server that starts again, unless it has begun to write', async () => {
    const server = await startPostgres();
    const pool = new Pool({ connectionString: server.url, max: 2 });
    pool.on('error', () => undefined);
    let refusals = 0;
    const counting: SqlPool = {
      connect: () =>
        pool.connect().catch((error: unknown) => {
          refusals += 1;
          throw error;
        }),
    };
    const given = { pool: counting, progressTable: 'progress' };
    try {
      expect(await attempt('first', given)).toBe('written');
      await server.kill();
      const second = attempt('second', { ...given, time: 2000 });
      await until('refusals', () => refusals > 2);
      await server.start();
      expect(await second).toBe('written');
      const third = { ...given, time: 3000, also: () => server.kill() };
      expect(await attempt('third', third)).toBe('OUTPUT_WRITE_FAILED');
    } finally {
      await pool.end();
      await server.stop();
    }
  }, 60_000);
});
