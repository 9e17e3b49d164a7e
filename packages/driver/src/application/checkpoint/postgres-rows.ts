import { type Clock, MillraceError, messageOf } from '@millrace/common';
import type { Pool } from 'pg';

/** A piece of a file: files are what was appended, in the order of `at`. */
export interface FileRow {
  readonly directory: string;
  readonly name: string;
  /** Where in the file it begins; −1: the file was made, and this is no part of it. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface LoadedRow extends FileRow {
  /** Of all of it: `bytes` may be just its beginning. */
  readonly length: number;
}

interface Statement {
  /** The server keeps its plan. */
  readonly name: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

const TABLES = `
CREATE TABLE IF NOT EXISTS millrace_owners (application text PRIMARY KEY, token bigint NOT NULL);
CREATE TABLE IF NOT EXISTS millrace_files (
  application text NOT NULL, directory text NOT NULL, name text NOT NULL, at bigint NOT NULL, bytes bytea NOT NULL,
  PRIMARY KEY (application, directory, name, at));
ALTER TABLE millrace_files ALTER COLUMN bytes SET STORAGE EXTERNAL`;

/** Whoever holds the token may write, and holds it until the transaction ends: another one waits to take it. */
const HELD =
  'WITH held AS (SELECT 1 FROM millrace_owners WHERE application = $1::text AND token = $2::bigint FOR SHARE)';

/** Of a section of state: see proto/src/state-section.ts. Its length is a little-endian number at byte 8, and it begins at byte 16. */
const HEADER_BYTES =
  '16 + get_byte(bytes, 8) + get_byte(bytes, 9) * 256 + get_byte(bytes, 10) * 65536 + (get_byte(bytes, 11) & 127) * 16777216';

/** How long a server that is away is waited for: it may be starting again. */
const AWAY_MS_MAX = 30_000;
const RETRY_MS = 200;

/** The tables of the checkpoint store. Every write is one that may be made again: after a connection broke nobody knows whether it was made. */
export class PostgresRows {
  readonly #pool: Pool;
  readonly #clock: Clock;
  #made: Promise<void> | undefined;

  constructor(pool: Pool, clock: Clock) {
    this.#pool = pool;
    this.#clock = clock;
  }

  /** Takes the application from whoever had it. Returns the token: nobody else has the same. */
  async take(application: string): Promise<string> {
    return this.#again(async () => {
      const { rows } = await this.#pool.query<{ token: string }>(
        `INSERT INTO millrace_owners AS o VALUES ($1, 1) ON CONFLICT (application) DO UPDATE SET token = o.token + 1 RETURNING token`,
        [application],
      );
      return String(rows[0]?.token);
    });
  }

  /** All of the log; of each piece of state its header, at most `bytesMax`. */
  async load(application: string, bytesMax: number): Promise<readonly LoadedRow[]> {
    const { rows } = await this.#again(() =>
      this.#pool.query<LoadedRow & { readonly at: string }>(
        `SELECT directory, name, at, length(bytes) AS length, CASE WHEN directory = 'log' OR length(bytes) < 16 THEN bytes ELSE substring(bytes FOR least($2, ${HEADER_BYTES})) END AS bytes
FROM millrace_files WHERE application = $1 AND directory IN ('log', 'log/state') ORDER BY directory, name, at`,
        [application, bytesMax],
      ),
    );
    return rows.map((row) => ({ ...row, at: Number(row.at) }));
  }

  /** Names of directories. */
  async directories(application: string): Promise<readonly string[]> {
    const { rows } = await this.#again(() =>
      this.#pool.query<{ directory: string }>(
        'SELECT DISTINCT directory FROM millrace_files WHERE application = $1',
        [application],
      ),
    );
    return rows.map(({ directory }) => directory);
  }

  /** Of the piece in which `offset` lies; undefined: there is none. */
  async read(
    application: string,
    directory: string,
    name: string,
    offset: number,
    bytes: number,
  ): Promise<Uint8Array | undefined> {
    const { rows } = await this.#again(() =>
      this.#pool.query<{ part: Uint8Array }>(
        `SELECT substring(bytes FROM ($4::bigint - at + 1)::int FOR $5::int) AS part FROM millrace_files
WHERE application = $1 AND directory = $2 AND name = $3 AND at <= $4::bigint AND at >= 0 ORDER BY at DESC LIMIT 1`,
        [application, directory, name, offset, bytes],
      ),
    );
    return rows[0]?.part;
  }

  /** All rows or none. @throws MillraceError FENCED. */
  async insert(application: string, token: string, rows: readonly FileRow[]): Promise<void> {
    const text = `${HELD}, made AS (INSERT INTO millrace_files SELECT $1::text, $3::text, $4::text, $5::bigint, $6::bytea FROM held ON CONFLICT DO NOTHING) SELECT count(*) AS held FROM held`;
    const statements = rows.map(({ directory, name, at, bytes }) => ({
      name: 'millrace-insert',
      text,
      values: [application, token, directory, name, at, Buffer.from(bytes)],
    }));
    await this.#write(application, statements);
  }

  /** @throws MillraceError FENCED. */
  async remove(application: string, token: string, directory: string, name: string): Promise<void> {
    const text = `${HELD}, gone AS (DELETE FROM millrace_files USING held WHERE application = $1 AND directory = $3 AND name = $4) SELECT count(*) AS held FROM held`;
    await this.#write(application, [
      { name: 'millrace-remove', text, values: [application, token, directory, name] },
    ]);
  }

  /** Of the directory, and of those in it. @throws MillraceError FENCED. */
  async rename(application: string, token: string, from: string, to: string): Promise<void> {
    // Once: a first attempt that was only late would move what has begun anew in its place.
    const text = `${HELD}, moved AS (UPDATE millrace_files SET directory = $4::text || substr(directory, length($3::text) + 1) FROM held
WHERE application = $1 AND (directory = $3 OR starts_with(directory, $3 || '/'))) SELECT count(*) AS held FROM held`;
    await this.#run(this.#pool, application, {
      name: 'millrace-rename',
      text,
      values: [application, token, from, to],
    });
  }

  async #write(application: string, statements: readonly Statement[]): Promise<void> {
    const run = async (client: Pick<Pool, 'query'>): Promise<void> => {
      for (const statement of statements) await this.#run(client, application, statement);
    };
    if (statements.length === 1) await this.#again(() => run(this.#pool));
    else if (statements.length > 1) await this.#again(() => this.#transaction(run));
  }

  async #run(client: Pick<Pool, 'query'>, application: string, statement: Statement): Promise<void> {
    const { rows } = await client.query<{ held: string }>({ ...statement, values: [...statement.values] });
    if (Number(rows[0]?.held) === 0) throw fenced(application);
  }

  async #transaction(run: (client: Pick<Pool, 'query'>) => Promise<void>): Promise<void> {
    const client = await this.#pool.connect();
    let isBroken = true;
    try {
      await client.query('BEGIN');
      await run(client);
      await client.query('COMMIT');
      isBroken = false;
    } finally {
      // What was begun ends with the connection.
      client.release(isBroken);
    }
  }

  /** Until the server is there, for a while. */
  async #again<T>(work: () => Promise<T>): Promise<T> {
    const deadline = this.#clock.monotonic() + AWAY_MS_MAX;
    for (;;) {
      try {
        this.#made ??= this.#make();
        await this.#made;
        return await work();
      } catch (error) {
        if (!isAway(error) || this.#clock.monotonic() > deadline) throw error;
        this.#made = undefined;
        await new Promise<void>((resolve) => this.#clock.schedule(RETRY_MS, resolve));
      }
    }
  }

  async #make(): Promise<void> {
    // IF NOT EXISTS alone fails when two do it at once; it also asks for a right that is needed only once.
    const { rows } = await this.#pool.query("SELECT to_regclass('millrace_files') AS there");
    if ((rows[0] as { there: unknown }).there !== null) return;
    await this.#pool.query(`SELECT pg_advisory_xact_lock(hashtext('millrace_files')); ${TABLES}`);
  }
}

/** SQLSTATEs of connections and of a server that starts or stops; or no SQLSTATE at all: the network. */
function isAway(error: unknown): boolean {
  if (MillraceError.is(error)) return false;
  const code: unknown = Reflect.get(Object(error), 'code');
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return /^(08|57P0[1-3]|53300)/.test(code);
  return /ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|[Cc]onnection|timeout/.test(
    `${String(code)} ${messageOf(error)}`,
  );
}

function fenced(application: string): MillraceError {
  return new MillraceError('FENCED', `another process has taken over application ${application}`, {
    remedy: 'Nothing is lost: the newer run of the application goes on.',
    details: { application },
  });
}
