import { MillraceError } from '@millrace/common';
import { sqlState } from './connection.ts';
import { checkOwner, judgeProgress, otherPlan, type Standing, unknownBatch } from './judge-progress.ts';
import { type Progress, type ProgressKey, ProgressTable } from './progress-table.ts';
import type { SqlClient } from './sql-client.ts';
import { beginTransaction, lockTimeout, type TransactionLimits } from './transaction-limits.ts';

/** An output, the same in every batch. */
export interface PostgresOutput extends TransactionLimits {
  readonly output: string;
  readonly progressTable: string;
  /** See OutputRun. */
  readonly log: string;
}

/** See OutputRun. */
export interface ClaimingRun {
  readonly pendingBatch: number | undefined;
  readonly lastBatch: number | undefined;
  readonly isAnew: boolean;
  /** How the hashes of this program's plans begin. */
  readonly planMark: string;
}

const NO_BATCH = { batchTime: -1, planHash: '', untilOffset: undefined };

/** How often the row is raised before a task gives up: somebody else raises it, too. */
const RAISES_MAX = 3;
const UNDEFINED_TABLE = '42P01';
const UNDEFINED_COLUMN = '42703';
/** Of lock_timeout; of statement_timeout, when the job has set a shorter one. */
const TIMED_OUT: ReadonlySet<unknown> = new Set(['55P03', '57014']);

/**
 * The row that says which batch of an output may be written, and by which epoch. Whoever writes shares it until the transaction ends; a new batch and
 * a new run take it alone. So they wait for those who still write, and nobody of an earlier batch or epoch writes from then on.
 */
export class OutputRow {
  readonly table: ProgressTable;
  readonly key: ProgressKey;
  readonly #client: SqlClient;
  readonly #limits: TransactionLimits;
  readonly #log: string;
  readonly #begin: string;

  constructor(
    client: SqlClient,
    { output, progressTable, log, ...limits }: PostgresOutput,
    application: string,
  ) {
    this.#client = client;
    this.#limits = limits;
    this.#log = log;
    this.#begin = beginTransaction(`millrace ${application}/${output}`, limits);
    this.table = new ProgressTable(progressTable);
    this.key = { application, output, topic: '', partition: -1 };
  }

  /**
   * Begins a transaction that no later batch and no newer epoch can overtake. `after`: the last batch that the log has done.
   * @throws MillraceError FENCED, OUTPUT_CONFLICT.
   */
  async share(wanted: Progress, after = NO_BATCH.batchTime): Promise<void> {
    for (let raises = 0; raises <= RAISES_MAX; raises++) {
      const found = await this.#lock('SHARE');
      if (found && this.#judged(found, wanted, after) === 'same' && found.epoch === wanted.epoch) return;
      // In a transaction of its own: who shares a row must not wait for the others to raise it.
      await this.#client.query('ROLLBACK');
      await this.#raise(wanted, after);
    }
    throw new Error(`the row of output "${this.key.output}" did not stay`);
  }

  /**
   * Takes the output over for this epoch. It must not have batches that the log does not know, as when that is an older copy; and a pending one
   * must not have been begun, but by plans of this program.
   * @throws MillraceError FENCED, OUTPUT_CONFLICT.
   */
  async claim(epoch: number, { pendingBatch, lastBatch, isAnew, planMark }: ClaimingRun): Promise<void> {
    const own = { epoch, log: this.#log };
    const found = await this.#takeAlone({ ...NO_BATCH, ...own });
    // Epochs of another log say nothing of this one.
    if (!isAnew || found.log === own.log) checkOwner(found, own, this.key);
    if (!isAnew && found.batchTime > (lastBatch ?? NO_BATCH.batchTime))
      throw unknownBatch(this.key, found.batchTime);
    if (
      pendingBatch !== undefined &&
      (await this.table.hasParts(this.#client, this.key, pendingBatch, planMark))
    )
      throw otherPlan(this.key, pendingBatch);
    await this.table.set(this.#client, this.key, { ...(isAnew ? NO_BATCH : found), ...own });
    await this.#client.query('COMMIT');
  }

  /** Of our own statements. @throws MillraceError OUTPUT_WRITE_FAILED, which says who holds the lock, when `work` has waited too long. */
  async waiting<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!TIMED_OUT.has(sqlState(error))) throw error;
      await this.#client.query('ROLLBACK');
      const holders = await this.table.holders(this.#client);
      const { output } = this.key;
      const who = holders.length === 0 ? 'nobody any more' : holders.join(', ');
      throw new MillraceError(
        'OUTPUT_WRITE_FAILED',
        `the progress of output "${output}" is locked, and was waited for in vain (${lockTimeout(this.#limits)} ms at most); it is held by ${who}`,
        {
          remedy: 'See what that session does, and end it: SELECT pg_terminate_backend(pid).',
          details: { ...this.key, holders: holders.join(', ') },
          cause: error,
        },
      );
    }
  }

  async #raise(wanted: Progress, after: number): Promise<void> {
    const { batchTime } = wanted;
    const found = await this.#takeAlone(wanted);
    // A plan counts when something was written by it. Whoever did is done, and nobody can begin to.
    const standing = this.#judged(found, wanted, after);
    if (standing === 'other' && (await this.table.hasParts(this.#client, this.key, batchTime)))
      throw otherPlan(this.key, batchTime);
    await this.table.set(this.#client, this.key, wanted);
    await this.#client.query('COMMIT');
  }

  #judged(found: Progress, wanted: Progress, after: number): Standing {
    checkOwner(found, wanted, this.key);
    const standing = judgeProgress(found, wanted, this.key);
    // Two copies of one log may run in one epoch, and have claimed the output before either wrote.
    if (standing === 'older' && found.batchTime > after) throw unknownBatch(this.key, found.batchTime);
    return standing;
  }

  async #takeAlone(first: Progress): Promise<Progress> {
    const found = await this.#lock('UPDATE');
    if (found) return found;
    await this.table.insert(this.#client, this.key, first);
    // Somebody else may have been the first.
    const made = await this.table.lock(this.#client, this.key, 'UPDATE');
    if (made) return made.progress;
    throw new Error(`the row of output "${this.key.output}" did not stay`);
  }

  async #lock(mode: 'SHARE' | 'UPDATE'): Promise<Progress | undefined> {
    const lock = async (): Promise<Progress | undefined> => {
      await this.#client.query(this.#begin);
      return (await this.table.lock(this.#client, this.key, mode))?.progress;
    };
    try {
      return await lock();
    } catch (error) {
      const state = sqlState(error);
      if (state !== UNDEFINED_TABLE && state !== UNDEFINED_COLUMN) throw error;
      await this.#client.query(`ROLLBACK; ${this.#begin}`);
      await (state === UNDEFINED_TABLE ? this.table.create(this.#client) : this.table.addLog(this.#client));
      await this.#client.query('COMMIT');
      return lock();
    }
  }
}
