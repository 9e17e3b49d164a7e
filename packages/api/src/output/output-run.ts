import type { BatchTime } from '../stream/stream-node.ts';

/** What an output must know of the run of the application. */
export interface OutputRun {
  /** Identity of the job's code, and of what it was submitted with: another one may make other rows of the same records. */
  readonly program: string;
  /** ms: a task that takes longer is ended; 0: it never is. */
  readonly taskTimeoutMs: number;
  /** A batch that was planned, and not committed: what another program has begun to write of it, this one must not finish. */
  readonly pendingBatch?: BatchTime;
  /** Its log has no batch yet: it is the first one, or that of before was set aside on purpose. Absent: it goes on where its log ends. */
  readonly begins?: LogBeginning;
}

export type LogBeginning = 'first' | 'anew';

/** Where no engine runs the job: it is looked at, or tried. */
export const NO_RUN: OutputRun = { program: '', taskTimeoutMs: 0 };
