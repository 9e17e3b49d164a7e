import { crashPoint, MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { TaskContextData } from '../task-context.ts';
import { ofOutput, whenThere, withConnection } from './connection.ts';
import { checkFits, judgeProgress, otherPlan } from './judge-progress.ts';
import { type ClaimingRun, OutputRow, type PostgresOutput } from './output-row.ts';
import { type Progress, type ProgressKey, partKey } from './progress-table.ts';
import type { SqlClient, SqlPool } from './sql-client.ts';

/** Data of an output: what the tasks of a batch have in common. */
export interface PostgresSettings extends PostgresOutput {
  /** Same batch, same hash: it covers the program, ranges and partitions. */
  readonly planHash: string;
  /** Batch time of the last batch that the log has done; undefined: none. */
  readonly after: number | undefined;
  /** By task partition, when each is one of a topic that is read once, in order. Absent: parts are task partitions. */
  readonly ranges?: readonly OffsetRange[];
}

/** What a run takes an output over with. */
export interface PostgresClaim extends PostgresOutput {
  readonly run: ClaimingRun;
}

type Task = Pick<TaskContextData, 'application' | 'epoch' | 'batchTime' | 'partitionId' | 'signal'>;

/**
 * Takes an output over for the epoch of this run: it waits for who still writes, and from then on no task of an older run does.
 * @throws MillraceError FENCED, OUTPUT_CONFLICT, OUTPUT_WRITE_FAILED.
 */
export async function claimOutput(
  pool: SqlPool,
  { run, ...output }: PostgresClaim,
  { application, epoch, signal }: Pick<Task, 'application' | 'epoch' | 'signal'>,
): Promise<void> {
  const claim = (client: SqlClient): Promise<void> => {
    const row = new OutputRow(client, output, application);
    return ofOutput(row.waiting(row.claim(epoch, run)));
  };
  await whenThere(() => withConnection(pool, claim), { signal, mayRepeat: () => true });
}

/**
 * Runs `write` and moves the progress of its part in one transaction, unless that has been done: by an earlier attempt, or an earlier run of the batch.
 * A first row says which batch of the output is written (see OutputRow). A second one says where the part ended, and must be where this batch begins.
 * @throws MillraceError FENCED, OUTPUT_CONFLICT, OUTPUT_WRITE_FAILED; what `write` throws: nothing was written then.
 */
export async function writeOnce(
  pool: SqlPool,
  settings: PostgresSettings,
  task: Task,
  write: (client: SqlClient) => unknown,
): Promise<void> {
  // Rows can be had once.
  let hasBegun = false;
  const begin = (client: SqlClient): unknown => {
    hasBegun = true;
    return write(client);
  };
  await whenThere(() => withConnection(pool, (client) => new PartWrite(client, settings, task).run(begin)), {
    signal: task.signal,
    mayRepeat: () => !hasBegun,
  });
}

class PartWrite {
  readonly #client: SqlClient;
  readonly #output: OutputRow;
  readonly #task: Task;
  readonly #part: ProgressKey;
  readonly #range: OffsetRange | undefined;
  /** What the rows shall say. */
  readonly #wanted: Progress;
  readonly #after: number | undefined;

  constructor(client: SqlClient, { planHash, after, ranges, ...output }: PostgresSettings, task: Task) {
    this.#client = client;
    this.#task = task;
    this.#output = new OutputRow(client, output, task.application);
    this.#range = ranges?.[task.partitionId];
    this.#part = partKey(this.#output.key, task.partitionId, this.#range);
    const { epoch, batchTime } = task;
    const { log } = output;
    this.#wanted = { epoch, batchTime, planHash, log, untilOffset: this.#range?.untilOffset };
    this.#after = after;
  }

  async run(write: (client: SqlClient) => unknown): Promise<void> {
    const transaction = await ofOutput(this.#output.waiting(this.#begin()));
    if (transaction !== undefined) {
      await write(this.#client);
      crashPoint('sink-produced');
      this.#task.signal.throwIfAborted();
      await ofOutput(this.#moveOn(transaction));
    }
    crashPoint('progress-sent');
    await ofOutput(this.#client.query('COMMIT'));
    crashPoint('sink-committed');
  }

  /** Holds the part's row until the transaction ends. Undefined: what the task would write is there. */
  async #begin(): Promise<string | undefined> {
    await this.#output.share(this.#wanted, this.#after);
    const { table } = this.#output;
    const held = () => table.lock(this.#client, this.#part, 'UPDATE');
    let found = await held();
    if (found === undefined) {
      const { log } = this.#wanted;
      const unwritten = { epoch: 0, batchTime: -1, planHash: '', log, untilOffset: this.#range?.fromOffset };
      await table.insert(this.#client, this.#part, unwritten);
      found = await held();
    }
    if (found === undefined) throw new Error(`the row of partition ${this.#part.partition} did not stay`);
    // Whose it is was judged by the output's row. What is there may be of a log that this one has replaced.
    const standing = judgeProgress(found.progress, this.#wanted, this.#part);
    if (standing === 'same') return undefined;
    if (standing === 'other') throw otherPlan(this.#part, this.#wanted.batchTime);
    checkFits(found.progress, this.#range?.fromOffset, this.#part);
    return found.transaction;
  }

  async #moveOn(transaction: string): Promise<void> {
    if (await this.#output.table.update(this.#client, this.#part, this.#wanted, transaction)) return;
    throw new MillraceError(
      'USER_CODE',
      `the function of output "${this.#part.output}" ended the transaction itself`,
      { remedy: 'Leave BEGIN, COMMIT and ROLLBACK to Millrace; use SAVEPOINT within.', retryable: false },
    );
  }
}
