import { isAway } from '@millrace/api/internal';
import { type Clock, MillraceError } from '@millrace/common';
import { STATE_MAGIC } from '@millrace/proto/task';
import type { Pool } from 'pg';
import type { Pieces } from './piece-buffer.ts';

/** Where a row lies: files are what was appended, in the order of `at`. */
interface RowPlace {
  readonly directory: string;
  readonly name: string;
  /** Where in the file it begins; −1: the file was made, and this is no part of it. */
  readonly at: number;
}

/** Of a file: each of the pieces is a row. */
export type FilePart = RowPlace & Pieces;

export interface LoadedRow extends RowPlace {
  readonly bytes: Uint8Array;
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

/** Of what begins a section of state: see proto/src/state-section.ts. Its length is a little-endian number at byte 8, and it begins at byte 16. */
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

  /** All of the log; of each section of state its header, at most `bytesMax`. */
  async load(application: string, bytesMax: number): Promise<readonly LoadedRow[]> {
    const { rows } = await this.#again(() =>
      this.#pool.query<LoadedRow & { readonly at: string }>(
        `SELECT directory, name, at, length(bytes) AS length, CASE WHEN directory = 'log' THEN bytes
  WHEN length(bytes) >= 16 AND substring(bytes FOR ${STATE_MAGIC.length}) = $3 THEN substring(bytes FOR least($2, ${HEADER_BYTES})) ELSE '' END AS bytes
FROM millrace_files WHERE application = $1 AND directory IN ('log', 'log/state') ORDER BY directory, name, at`,
        [application, bytesMax, STATE_MAGIC],
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

  /** At most so many bytes; none when there is nothing at `offset`. */
  async read(
    application: string,
    { directory, name, at: offset }: RowPlace,
    bytes: number,
  ): Promise<Uint8Array> {
    const { rows } = await this.#again(() =>
      this.#pool.query<{ at: string; part: Uint8Array }>(
        `SELECT greatest(at, $4::bigint) AS at, substring(bytes FROM greatest($4 - at, 0)::int + 1 FOR ($4 + $5 - greatest(at, $4))::int) AS part FROM millrace_files
WHERE application = $1 AND directory = $2 AND name = $3 AND at < $4 + $5::bigint
  AND at >= (SELECT max(at) FROM millrace_files WHERE application = $1 AND directory = $2 AND name = $3 AND at BETWEEN 0 AND $4) ORDER BY at`,
        [application, directory, name, offset, bytes],
      ),
    );
    const parts: Uint8Array[] = [];
    let end = offset;
    for (const { at, part } of rows) {
      if (Number(at) !== end) break;
      parts.push(part);
      end += part.length;
    }
    return Buffer.concat(parts);
  }

  /** All or nothing. @throws MillraceError FENCED. */
  async insert(application: string, token: string, part: FilePart): Promise<void> {
    const { directory, name, at, lengths, bytes } = part;
    const text = `${HELD}, pieces AS (SELECT sum(length) OVER (ORDER BY n) - length AS begin, length FROM unnest($6::bigint[]) WITH ORDINALITY AS p(length, n)),
made AS (INSERT INTO millrace_files SELECT $1::text, $3::text, $4::text, $5::bigint + begin, substring($7::bytea FROM begin::int + 1 FOR length::int) FROM held, pieces ON CONFLICT DO NOTHING)
SELECT count(*) AS held FROM held`;
    const values = [application, token, directory, name, at, lengths, bytes];
    await this.#again(() => this.#run(application, { name: 'millrace-insert', text, values }));
  }

  /** `atOnce`: rows that one statement takes; undefined: all. @throws MillraceError FENCED. */
  async remove(
    application: string,
    token: string,
    { directory, name, atOnce }: Omit<RowPlace, 'at'> & { readonly atOnce: number | undefined },
  ): Promise<void> {
    const text = `${HELD}, gone AS (DELETE FROM millrace_files USING held WHERE application = $1 AND directory = $3 AND name = $4
  AND at IN (SELECT at FROM millrace_files WHERE application = $1 AND directory = $3 AND name = $4 LIMIT $5) RETURNING at)
SELECT (SELECT count(*) FROM held) AS held, (SELECT count(*) FROM gone) AS gone`;
    const values = [application, token, directory, name, atOnce ?? null];
    const statement = { name: 'millrace-remove', text, values };
    for (let gone = atOnce; gone === atOnce && gone !== 0; )
      gone = await this.#again(() => this.#run(application, statement));
  }

  /** Of the directory, and of those in it. @throws MillraceError FENCED. */
  async rename(application: string, token: string, from: string, to: string): Promise<void> {
    // Once: a first attempt that was only late would move what has begun anew in its place.
    const text = `${HELD}, moved AS (UPDATE millrace_files SET directory = $4::text || substr(directory, length($3::text) + 1) FROM held
WHERE application = $1 AND (directory = $3 OR starts_with(directory, $3 || '/'))) SELECT count(*) AS held FROM held`;
    await this.#run(application, {
      name: 'millrace-rename',
      text,
      values: [application, token, from, to],
    });
  }

  /** How many rows it says are gone. */
  async #run(application: string, statement: Statement): Promise<number> {
    const { rows } = await this.#pool.query<{ held: string; gone?: string }>({
      ...statement,
      values: [...statement.values],
    });
    if (Number(rows[0]?.held) === 0) throw fenced(application);
    return Number(rows[0]?.gone);
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
        if (!mayPass(error) || this.#clock.monotonic() > deadline) throw error;
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

/** It took too long for now: waiting for a lock, or for a server that has much to do. */
const LATE: ReadonlySet<unknown> = new Set(['57014', '55P03', '25P03', '25P04']);

function mayPass(error: unknown): boolean {
  return isAway(error) || LATE.has(Reflect.get(Object(error), 'code'));
}

function fenced(application: string): MillraceError {
  return new MillraceError('FENCED', `another process has taken over application ${application}`, {
    remedy: 'Nothing is lost: the newer run of the application goes on.',
    details: { application },
  });
}
