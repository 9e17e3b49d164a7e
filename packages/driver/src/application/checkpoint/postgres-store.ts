import { callbackify } from 'node:util';
import { setWherePossible } from '@millrace/api/internal';
import { type Clock, type Logger, MillraceError, messageOf } from '@millrace/common';
import { corruptState } from '@millrace/proto/task';
import { type ClientBase, Pool } from 'pg';
import type { CheckpointStore } from './checkpoint-store.ts';
import { PostgresFiles } from './postgres-files.ts';
import { PostgresRows } from './postgres-rows.ts';

const CONNECTIONS_MAX = 2;
const CONNECT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 15_000;
/** Longer than the server's own limit: what is made again is not still running. */
const QUERY_MARGIN_MS = 5_000;
const GONE_CHECK_MS = 2_000;
const READ_ONLY = '25006';

export interface PostgresStoreOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** What of state waits to be written, and is much, waits in files here. */
  readonly waitingDirectory: string;
  /** What the server may take for one statement; default: 15 s. */
  readonly statementTimeoutMs?: number;
}

/** Tables of a database: any number of drivers may use one, for applications of different names. */
export function postgresCheckpointStore(
  location: string,
  { clock, logger, waitingDirectory, statementTimeoutMs = STATEMENT_MS_MAX }: PostgresStoreOptions,
): CheckpointStore {
  const url = new URL(location);
  const where = `postgres://${url.host}${url.pathname}`;
  url.searchParams.delete('query_timeout');
  const pool = new Pool({
    connectionString: url.href,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    query_timeout: statementTimeoutMs + QUERY_MARGIN_MS,
    keepAlive: true,
    application_name: 'millrace',
    verify: callbackify((client: ClientBase) => relyOn(client, statementTimeoutMs)),
  });
  pool.on('error', (error) => logger.info({ err: error }, 'a connection to the checkpoint store broke'));
  const rows = new PostgresRows(pool, clock);
  const failure = (error: unknown): MillraceError => storeFailure(error, where);
  return {
    where: (application) => `${where} ${application}`,
    async open(application) {
      const files = new PostgresFiles({
        rows,
        application,
        where: `${where} ${application}`,
        waitingDirectory,
        failure,
      });
      await files.load().catch((error: unknown) => {
        throw failure(error);
      });
      return files;
    },
    async readState(application, file, offset, bytes) {
      const part = await rows.read(application, { directory: 'log/state', name: file, at: offset }, bytes);
      if (part.length === 0) throw corruptState(file, 'there is none, or it is cut off');
      return part;
    },
    close: () => pool.end(),
  };
}

/** What the store stands on, whatever the server, its role or the URL have set: what was written is durable, and nobody waits long for who is gone. */
async function relyOn(client: ClientBase, statementTimeoutMs: number): Promise<void> {
  await client.query(
    `SET statement_timeout = ${statementTimeoutMs}; SET default_transaction_isolation = 'read committed';
DO $$ BEGIN IF current_setting('synchronous_commit') <> 'remote_apply' THEN SET synchronous_commit = on; END IF; END $$;
${setWherePossible('SESSION', {
  transaction_timeout: statementTimeoutMs,
  client_connection_check_interval: GONE_CHECK_MS,
})}`,
  );
}

function storeFailure(error: unknown, where: string): MillraceError {
  const isReadOnly = Reflect.get(Object(error), 'code') === READ_ONLY;
  return MillraceError.from(error, 'LOG_WRITE_FAILED', {
    remedy: isReadOnly
      ? `Name a server that takes writes: the one at ${where} is a replica, or was made read only.`
      : `See that PostgreSQL at ${where} runs, and that its user may make and use tables there.`,
    details: { where, reason: messageOf(error) },
  });
}
