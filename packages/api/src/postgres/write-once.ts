import { crashPoint, MillraceError, messageOf } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { TaskContextData } from '../task-context.ts';
import { checkFits, judgeProgress } from './judge-progress.ts';
import { outputKey, type Progress, type ProgressKey, ProgressTable, partKey } from './progress-table.ts';
import type { PooledSqlClient, SqlClient, SqlPool } from './sql-client.ts';

/** Data of an output: what its tasks have in common. */
export interface PostgresSettings {
  readonly output: string;
  readonly progressTable: string;
  /** Same batch, same hash: it covers ranges and partitions. */
  readonly planHash: string;
  /** By task partition, when each is one of a topic that is read once, in order. Absent: parts are task partitions. */
  readonly ranges?: readonly OffsetRange[];
  /** ms: PostgreSQL ends a transaction in which nothing was asked for so long. */
  readonly idleTimeoutMs: number;
}

type Task = Pick<TaskContextData, 'application' | 'epoch' | 'batchTime' | 'partitionId' | 'signal'>;

/** How often the row of the output is raised before a task gives up: somebody else raises it, too. */
const RAISES_MAX = 3;
/** Waiting for a lock takes as long as a stopped holder may be idle, and this. */
const LOCK_MARGIN_MS = 5_000;
const UNDEFINED_TABLE = '42P01';

/** Pools whose errors somebody hears: a pool tells of each idle connection that breaks, and ends the process when nobody listens. */
const heard = new WeakSet<object>();
const ignore = (): void => undefined;

/**
 * Runs `write` and moves the progress of its part in one transaction, unless that has been done: by an earlier attempt, or an earlier run of the batch.
 * A first row says which batch of the output is written: tasks share it, so that no task of an earlier batch or epoch writes from then on. A
 * second one says where the part ended, and must be where this batch begins.
 * @throws MillraceError FENCED, OUTPUT_CONFLICT, OUTPUT_WRITE_FAILED; what `write` throws: nothing was written then.
 */
export async function writeOnce(
  pool: SqlPool,
  settings: PostgresSettings,
  task: Task,
  write: (client: SqlClient) => unknown,
): Promise<void> {
  if (!heard.has(pool)) pool.on?.('error', ignore);
  heard.add(pool);
  const client = await asOutput(pool.connect());
  // A connection that breaks between two queries is noticed by the next one.
  client.on?.('error', ignore);
  let isBroken = true;
  try {
    await new PartWrite(client, settings, task).run(write);
    isBroken = false;
  } catch (error) {
    isBroken = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    );
    throw error;
  } finally {
    client.off?.('error', ignore);
    client.release(isBroken);
  }
}

class PartWrite {
  readonly #client: PooledSqlClient;
  readonly #table: ProgressTable;
  readonly #begin: string;
  readonly #task: Task;
  readonly #output: ProgressKey;
  readonly #part: ProgressKey;
  readonly #range: OffsetRange | undefined;
  /** What the rows shall say. */
  readonly #wanted: Progress;

  constructor(client: PooledSqlClient, settings: PostgresSettings, task: Task) {
    const { output, progressTable, planHash, ranges, idleTimeoutMs } = settings;
    this.#client = client;
    this.#table = new ProgressTable(progressTable);
    this.#begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = ${idleTimeoutMs + LOCK_MARGIN_MS}; SET LOCAL idle_in_transaction_session_timeout = ${idleTimeoutMs}`;
    this.#task = task;
    this.#range = ranges?.[task.partitionId];
    this.#output = outputKey(task.application, output);
    this.#part = partKey(this.#output, task.partitionId, this.#range);
    const { epoch, batchTime } = task;
    this.#wanted = { epoch, batchTime, planHash, untilOffset: this.#range?.untilOffset };
  }

  async run(write: (client: SqlClient) => unknown): Promise<void> {
    await asOutput(this.#enter());
    const transaction = await asOutput(this.#take());
    if (transaction !== undefined) {
      await write(this.#client);
      crashPoint('sink-produced');
      this.#task.signal.throwIfAborted();
      await asOutput(this.#moveOn(transaction));
    }
    crashPoint('progress-sent');
    await asOutput(this.#client.query('COMMIT'));
    crashPoint('sink-committed');
  }

  /** Begins a transaction that no later batch and no newer epoch of the output can overtake. */
  async #enter(): Promise<void> {
    for (let raises = 0; raises <= RAISES_MAX; raises++) {
      await this.#client.query(this.#begin);
      try {
        const found = await this.#table.lock(this.#client, this.#output, 'SHARE');
        if (found && this.#isRaised(found.progress)) return;
      } catch (error) {
        if (Reflect.get(Object(error), 'code') !== UNDEFINED_TABLE) throw error;
        await this.#client.query('ROLLBACK');
        await this.#table.create(this.#client);
        continue;
      }
      // In a transaction of its own: who shares a row must not wait for the others to raise it.
      await this.#client.query('ROLLBACK');
      await this.#client.query(this.#begin);
      await this.#table.raise(this.#client, this.#output, { ...this.#wanted, untilOffset: undefined });
      await this.#client.query('COMMIT');
    }
    throw new Error(`the row of output "${this.#output.output}" did not stay`);
  }

  #isRaised(found: Progress): boolean {
    return judgeProgress(found, this.#wanted, this.#output) === 'same' && found.epoch === this.#wanted.epoch;
  }

  /** Holds the part's row until the transaction ends. Undefined: what the task would write is there. */
  async #take(): Promise<string | undefined> {
    const held = () => this.#table.lock(this.#client, this.#part, 'UPDATE');
    let found = await held();
    if (found === undefined) {
      const unwritten = { epoch: 0, batchTime: -1, planHash: '', untilOffset: this.#range?.fromOffset };
      await this.#table.insert(this.#client, this.#part, unwritten);
      found = await held();
    }
    if (found === undefined) throw new Error(`the row of partition ${this.#part.partition} did not stay`);
    if (judgeProgress(found.progress, this.#wanted, this.#part) === 'same') return undefined;
    checkFits(found.progress, this.#range?.fromOffset, this.#part);
    return found.transaction;
  }

  async #moveOn(transaction: string): Promise<void> {
    if (await this.#table.update(this.#client, this.#part, this.#wanted, transaction)) return;
    throw new MillraceError(
      'USER_CODE',
      `the function of output "${this.#output.output}" ended the transaction itself`,
      { remedy: 'Leave BEGIN, COMMIT and ROLLBACK to Millrace; use SAVEPOINT within.', retryable: false },
    );
  }
}

/** Our own queries fail for reasons outside of the job: another attempt may succeed. */
async function asOutput<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw MillraceError.from(error, 'OUTPUT_WRITE_FAILED', {
      remedy:
        'See that PostgreSQL runs, that executors reach it, and that its user may use the progress table.',
      details: { reason: messageOf(error) },
    });
  }
}
