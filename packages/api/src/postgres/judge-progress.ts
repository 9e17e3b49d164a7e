import { MillraceError } from '@millrace/common';
import type { Progress, ProgressKey } from './progress-table.ts';

/** older: it stands before the batch. same: at the batch. */
export type Standing = 'older' | 'same';

/**
 * Where a row of progress stands, for a task that is about to write.
 * @throws MillraceError FENCED, OUTPUT_CONFLICT: the task must not write.
 */
export function judgeProgress(found: Progress, wanted: Progress, key: ProgressKey): Standing {
  const { epoch, batchTime } = wanted;
  if (found.epoch > epoch) {
    throw new MillraceError(
      'FENCED',
      `epoch ${epoch} writes to output "${key.output}", and epoch ${found.epoch} has begun to`,
      {
        remedy: 'Nothing is lost: the newer run of the application goes on.',
        details: { ...key, epoch, newer: found.epoch },
      },
    );
  }
  if (found.batchTime > batchTime)
    throw conflict(key, `batch ${iso(batchTime)} is older than ${iso(found.batchTime)}, which it has`);
  if (found.batchTime < batchTime) return 'older';
  if (found.planHash === wanted.planHash) return 'same';
  throw conflict(key, `it has begun batch ${iso(batchTime)} with other ranges or partitions`);
}

/** @throws MillraceError OUTPUT_CONFLICT unless the range begins where the one before ended. */
export function checkFits(found: Progress, fromOffset: number | undefined, key: ProgressKey): void {
  if (found.untilOffset === fromOffset) return;
  throw conflict(
    key,
    `it has offsets until ${found.untilOffset} of ${key.topic}-${key.partition}, and the batch begins at ${fromOffset}`,
  );
}

function conflict(key: ProgressKey, what: string): MillraceError {
  const { application, output, topic, partition } = key;
  return new MillraceError('OUTPUT_CONFLICT', `output "${output}" does not fit the batch: ${what}`, {
    remedy:
      "When offsets were moved, or the log began anew, on purpose: delete the output's rows from its progress table, or set until_offset there; the next batch is taken as it is.",
    details: { application, output, partition, ...(topic === '' ? {} : { topic }) },
  });
}

function iso(batchTime: number): string {
  return new Date(batchTime).toISOString();
}
