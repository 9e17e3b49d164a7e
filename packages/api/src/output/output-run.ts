import type { BatchTime } from '../stream/stream-node.ts';

/** What an output must know of the run of the application. */
export interface OutputRun {
  /** Identity of the job's code, and of what it was submitted with: another one may make other rows of the same records. */
  readonly program: string;
  /** ms: a task that takes longer is ended; 0: it never is. */
  readonly taskTimeoutMs: number;
  /** A batch that was planned, and not committed: what another program has begun to write of it, this one must not finish. */
  readonly pendingBatch?: BatchTime;
  /** The last batch that its log has done, or given up. An output that has a later one, and not the planned one, belongs to another copy of the log. */
  readonly lastCommitted?: BatchTime;
  /** Of the application's log: another one of that name has another. */
  readonly log: string;
  /** Its log begins, since somebody gave an earlier one up: what outputs have does not count. */
  readonly isAnew?: boolean;
}

/** Where no engine runs the job: it is looked at, or tried. */
export const NO_RUN: OutputRun = { program: '', taskTimeoutMs: 0, log: '' };
