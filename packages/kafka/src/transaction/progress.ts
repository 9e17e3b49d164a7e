/** How far the output under one transactional id has got, and whose it is. It is committed in the transaction of the records that it tells of. */
export interface Progress {
  /** Of the application's run that wrote it. */
  readonly epoch: number;
  /** ms. */
  readonly batchTime: number;
  /** What the batch read. '' in a claim of an id that was never used. */
  readonly planHash: string;
  /** Of the application's log: epochs of two logs say nothing of each other. '': written by a version that told none. */
  readonly log: string;
}

/** What an attempt is about to write. */
export interface Attempt extends Progress {
  /** Batch time of the last batch that the log has done. */
  readonly after: number;
}

/**
 * run: nothing of the batch is there. skip: all of it is. fenced: a newer run of the application has taken over.
 * stale: a batch is there that the log does not know. conflict: the batch is there with other contents.
 */
export type ProgressVerdict = 'run' | 'skip' | 'fenced' | 'stale' | 'conflict';

/** What an attempt does that has found this progress: read after its own init, or it says nothing. */
export function progressVerdict(found: Progress | undefined, attempt: Attempt): ProgressVerdict {
  if (found === undefined) return 'run';
  if (found.epoch > attempt.epoch || isForeign(found, attempt.log)) return 'fenced';
  if (found.batchTime === attempt.batchTime) return found.planHash === attempt.planHash ? 'skip' : 'conflict';
  // Not only a batch that is later than this one: two copies of one log may run in one epoch.
  return found.batchTime > attempt.after ? 'stale' : 'run';
}

/**
 * What a starting run writes before it plans anything: from then on every older one is fenced. The batch stays, so that a re-run finds what
 * is there. Undefined: a newer run has claimed the id.
 */
export function claimedProgress(
  found: Progress | undefined,
  { epoch, log }: Pick<Progress, 'epoch' | 'log'>,
): Progress | undefined {
  if (found === undefined) return { epoch, batchTime: 0, planHash: '', log };
  return found.epoch > epoch ? undefined : { ...found, epoch, log };
}

/** Whether an application with another log wrote it. */
export function isForeign(found: Pick<Progress, 'log'>, log: string): boolean {
  return found.log !== '' && log !== '' && found.log !== log;
}
