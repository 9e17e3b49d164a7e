import type { BatchKey, StageKey } from './task-backend.ts';

// Application names are letters, digits, dots, dashes and underscores: they are safe in paths.

/** Directory of a map stage's output, below the shuffle directory of an executor. */
export function shuffleDirectory({ application, epoch, batchTime, jobId, stageId }: StageKey): string {
  return `${application}/${epoch}/${batchTime}/${jobId}/${stageId}`;
}

/** What the ids of all shuffle blocks of a batch begin with. */
export function shufflePrefix({ application, epoch, batchTime }: BatchKey): string {
  return `shuffle/${application}/${epoch}/${batchTime}/`;
}
