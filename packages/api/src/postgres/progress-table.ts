import type { OffsetRange } from '@millrace/kafka';
import type { SqlClient } from './sql-client.ts';

/** How far an output, or a part of it, has come. */
export interface Progress {
  readonly epoch: number;
  /** ms since 1970. */
  readonly batchTime: number;
  readonly planHash: string;
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

/** The row that says which batch of an output may be written now. Tasks share it, a new batch takes it. */
export function outputKey(application: string, output: string): ProgressKey {
  return { application, output, topic: '', partition: -1 };
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
const ROW = `(application, output, topic, partition, until_offset, epoch, batch_time, plan_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

/** The statements of one progress table. Its name has been checked: it is part of their texts. */
export class ProgressTable {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  get definition(): string {
    return `CREATE TABLE IF NOT EXISTS ${this.name} (
  application text NOT NULL, output text NOT NULL, topic text NOT NULL, partition integer NOT NULL,
  until_offset bigint, epoch bigint NOT NULL, batch_time bigint NOT NULL, plan_hash text NOT NULL,
  PRIMARY KEY (application, output, topic, partition))`;
  }

  async create(client: SqlClient): Promise<void> {
    // IF NOT EXISTS alone fails when two do it at once. Several statements in one query are one transaction, which holds the lock.
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('${this.name}')); ${this.definition}`);
  }

  /** Locks the row until the transaction ends. `transaction`: which one that is. */
  async lock(
    client: SqlClient,
    key: ProgressKey,
    mode: 'SHARE' | 'UPDATE',
  ): Promise<{ readonly progress: Progress; readonly transaction: string } | undefined> {
    const { rows } = await client.query(
      `SELECT epoch, batch_time, plan_hash, until_offset, pg_current_xact_id() AS transaction FROM ${this.name} WHERE ${KEY} FOR ${mode}`,
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

  /** Unless the row has come as far already. */
  async raise(client: SqlClient, key: ProgressKey, progress: Progress): Promise<void> {
    await client.query(
      `INSERT INTO ${this.name} AS row ${ROW} ON CONFLICT (application, output, topic, partition) DO UPDATE
SET epoch = excluded.epoch, batch_time = excluded.batch_time, plan_hash = excluded.plan_hash
WHERE row.epoch <= excluded.epoch AND (row.batch_time < excluded.batch_time
  OR (row.batch_time = excluded.batch_time AND row.plan_hash = excluded.plan_hash))`,
      [...values(key), ...written(progress)],
    );
  }

  /** False: the row is not of this transaction any more. */
  async update(
    client: SqlClient,
    key: ProgressKey,
    progress: Progress,
    transaction: string,
  ): Promise<boolean> {
    const { rowCount } = await client.query(
      `UPDATE ${this.name} SET until_offset = $5, epoch = $6, batch_time = $7, plan_hash = $8
WHERE ${KEY} AND pg_current_xact_id()::text = $9`,
      [...values(key), ...written(progress), transaction],
    );
    return rowCount === 1;
  }
}

function values({ application, output, topic, partition }: ProgressKey): unknown[] {
  return [application, output, topic, partition];
}

function written({ untilOffset, epoch, batchTime, planHash }: Progress): unknown[] {
  return [untilOffset ?? null, epoch, batchTime, planHash];
}

/** bigint arrives as text. */
function progressOf(row: Readonly<Record<string, unknown>>): Progress {
  const until = row['until_offset'];
  return {
    epoch: Number(row['epoch']),
    batchTime: Number(row['batch_time']),
    planHash: String(row['plan_hash']),
    untilOffset: until === null || until === undefined ? undefined : Number(until),
  };
}
