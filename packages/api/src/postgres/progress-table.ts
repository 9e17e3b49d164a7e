import type { OffsetRange } from '@millrace/kafka';
import type { SqlClient } from './sql-client.ts';

/** How far an output, or a part of it, has come. */
export interface Progress {
  readonly epoch: number;
  /** ms since 1970. */
  readonly batchTime: number;
  readonly planHash: string;
  /** Of the application's log. '': written by a version that told none. */
  readonly log: string;
  /** Where the next batch begins, when the part is a partition of a topic. */
  readonly untilOffset: number | undefined;
}

/** A row of the table. */
export interface ProgressKey {
  readonly application: string;
  readonly output: string;
  /** '' when the part is a task partition, or the output as a whole. */
  readonly topic: string;
  /** −1: the output as a whole. */
  readonly partition: number;
}

export function partKey(
  { application, output }: ProgressKey,
  partition: number,
  range: Pick<OffsetRange, 'topic' | 'partition'> | undefined,
): ProgressKey {
  return range
    ? { application, output, topic: range.topic, partition: range.partition }
    : { application, output, topic: '', partition };
}

const KEY = 'application = $1 AND output = $2 AND topic = $3 AND partition = $4';
const ROW = `(application, output, topic, partition, until_offset, epoch, batch_time, plan_hash, log)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

/** An earlier version of Millrace does not tell it. */
const LOG_COLUMN = "log text NOT NULL DEFAULT ''";

const HOLDERS_MAX = 3;

/** The statements of one progress table. Its name has been checked: it is part of their texts. */
export class ProgressTable {
  readonly name: string;

  constructor(name: string) {
    // It may be a word of SQL's.
    this.name = name
      .split('.')
      .map((part) => `"${part}"`)
      .join('.');
  }

  get definition(): string {
    return `CREATE TABLE IF NOT EXISTS ${this.name} (
  application text NOT NULL, output text NOT NULL, topic text NOT NULL, partition integer NOT NULL,
  until_offset bigint, epoch bigint NOT NULL, batch_time bigint NOT NULL, plan_hash text NOT NULL, ${LOG_COLUMN},
  PRIMARY KEY (application, output, topic, partition))`;
  }

  async create(client: SqlClient): Promise<void> {
    // IF NOT EXISTS alone fails when two do it at once. Several statements in one query are one transaction, which holds the lock.
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('${this.name}')); ${this.definition}`);
  }

  /** To a table that an earlier version of Millrace has made. */
  async addLog(client: SqlClient): Promise<void> {
    await client.query(`ALTER TABLE ${this.name} ADD COLUMN IF NOT EXISTS ${LOG_COLUMN}`);
  }

  /** Locks the row until the transaction ends. `transaction`: which one that is. */
  async lock(
    client: SqlClient,
    key: ProgressKey,
    mode: 'SHARE' | 'UPDATE',
  ): Promise<{ readonly progress: Progress; readonly transaction: string } | undefined> {
    const { rows } = await client.query(
      `SELECT epoch, batch_time, plan_hash, log, until_offset, pg_current_xact_id() AS transaction FROM ${this.name} WHERE ${KEY} FOR ${mode}`,
      values(key),
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    return { progress: progressOf(row), transaction: String(row['transaction']) };
  }

  /** Makes the row, unless it is there by now; then it waits for whoever makes it. */
  async insert(client: SqlClient, key: ProgressKey, progress: Progress): Promise<void> {
    await client.query(`INSERT INTO ${this.name} ${ROW} ON CONFLICT DO NOTHING`, [
      ...values(key),
      ...written(progress),
    ]);
  }

  /** Of a row that the transaction has locked; its offset stays. */
  async set(client: SqlClient, key: ProgressKey, progress: Progress): Promise<void> {
    const { epoch, batchTime, planHash, log } = progress;
    await client.query(
      `UPDATE ${this.name} SET epoch = $5, batch_time = $6, plan_hash = $7, log = $8 WHERE ${KEY}`,
      [...values(key), epoch, batchTime, planHash, log],
    );
  }

  /** Whether any part of the output has come as far as this batch. `own`: how hashes of plans begin that do not count at the batch itself. */
  async hasParts(
    client: SqlClient,
    { application, output }: ProgressKey,
    batchTime: number,
    own?: string,
  ): Promise<boolean> {
    const { rows } = await client.query(
      `SELECT 1 FROM ${this.name} WHERE application = $1 AND output = $2 AND partition >= 0 AND batch_time >= $3
  AND (batch_time > $3 OR $4::text IS NULL OR left(plan_hash, length($4)) <> $4) LIMIT 1`,
      [application, output, batchTime, own ?? null],
    );
    return rows.length > 0;
  }

  /** Who else has touched rows of the table in a transaction that is under way and waits for nobody; the oldest first. For messages. */
  async holders(client: SqlClient): Promise<readonly string[]> {
    const { rows } = await client.query(
      `SELECT format('pid %s ("%s", %s, %s s)', pid, application_name, coalesce(state, 'state unknown'), coalesce(extract(epoch FROM clock_timestamp() - xact_start)::int::text, '?')) AS who
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
  AND pid IN (SELECT pid FROM pg_locks WHERE relation = to_regclass($1) AND granted AND mode <> 'AccessShareLock')
  AND pid NOT IN (SELECT pid FROM pg_locks WHERE NOT granted AND pid IS NOT NULL)
ORDER BY xact_start LIMIT ${HOLDERS_MAX}`,
      [this.name],
    );
    return rows.map(({ who }) => String(who));
  }

  /** False: the row is not of this transaction any more. */
  async update(
    client: SqlClient,
    key: ProgressKey,
    progress: Progress,
    transaction: string,
  ): Promise<boolean> {
    const { rowCount } = await client.query(
      `UPDATE ${this.name} SET until_offset = $5, epoch = $6, batch_time = $7, plan_hash = $8, log = $9
WHERE ${KEY} AND pg_current_xact_id()::text = $10`,
      [...values(key), ...written(progress), transaction],
    );
    return rowCount === 1;
  }
}

function values({ application, output, topic, partition }: ProgressKey): unknown[] {
  return [application, output, topic, partition];
}

function written({ untilOffset, epoch, batchTime, planHash, log }: Progress): unknown[] {
  return [untilOffset ?? null, epoch, batchTime, planHash, log];
}

/** bigint arrives as text. */
function progressOf(row: Readonly<Record<string, unknown>>): Progress {
  const until = row['until_offset'];
  return {
    epoch: Number(row['epoch']),
    batchTime: Number(row['batch_time']),
    planHash: String(row['plan_hash']),
    log: String(row['log']),
    untilOffset: until === null || until === undefined ? undefined : Number(until),
  };
}
