import type { BatchKey, KeptKey, StageKey } from './task-backend.ts';

// Application names are letters, digits, dots, dashes and underscores: they are safe in paths.

/**
 * Directory of a map stage's output, below the shuffle directory of an executor. `kept`: the name of a dataset that outlives its batch,
 * "kept-3" or "cache-3".
 */
export function shuffleDirectory(
  { application, epoch, batchTime, jobId, stageId }: StageKey,
  kept?: string,
): string {
  const stage = `${batchTime}/${jobId}/${stageId}`;
  return kept === undefined ? `${application}/${epoch}/${stage}` : `${application}/${epoch}/${kept}/${stage}`;
}

/** What the ids of all shuffle blocks of a batch, or of a dataset that outlives it, begin with. */
export function shufflePrefix(key: BatchKey | KeptKey): string {
  const { application, epoch } = key;
  return `shuffle/${application}/${epoch}/${'kept' in key ? key.kept : key.batchTime}/`;
}
