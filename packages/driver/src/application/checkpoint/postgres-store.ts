import { type Clock, type Logger, MillraceError, messageOf } from '@millrace/common';
import { corruptState } from '@millrace/proto/task';
import { Pool } from 'pg';
import type { CheckpointStore } from './checkpoint-store.ts';
import { PostgresFiles } from './postgres-files.ts';
import { PostgresRows } from './postgres-rows.ts';

const CONNECTIONS_MAX = 2;
const CONNECT_MS_MAX = 5_000;
const STATEMENT_MS_MAX = 15_000;
/** Longer than the server's own limit: what is made again is not still running. */
const QUERY_MS_MAX = 20_000;

/** Tables of a database: any number of drivers may use one, for applications of different names. */
export function postgresCheckpointStore(
  location: string,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): CheckpointStore {
  const url = new URL(location);
  const where = `postgres://${url.host}${url.pathname}`;
  const pool = new Pool({
    connectionString: location,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    query_timeout: QUERY_MS_MAX,
    keepAlive: true,
    application_name: 'millrace',
    // Whatever the server's default is: what was written must be durable.
    options: `-c synchronous_commit=on -c statement_timeout=${STATEMENT_MS_MAX}`,
  });
  pool.on('error', (error) => logger.info({ err: error }, 'a connection to the checkpoint store broke'));
  const rows = new PostgresRows(pool, clock);
  return {
    where: (application) => `${where} ${application}`,
    async open(application) {
      const files = new PostgresFiles(rows, application, `${where} ${application}`);
      try {
        await files.load();
      } catch (error) {
        throw MillraceError.from(error, 'LOG_WRITE_FAILED', {
          remedy: `See that PostgreSQL at ${where} runs, and that its user may make and use tables there.`,
          details: { where, reason: messageOf(error) },
        });
      }
      return files;
    },
    async readState(application, file, offset, bytes) {
      const part = await rows.read(application, 'log/state', file, offset, bytes);
      if (part === undefined || part.length === 0)
        throw corruptState(file, 'there is none, or it is cut off');
      return part;
    },
    close: () => pool.end(),
  };
}
