import { MillraceError } from '@millrace/common';
import type { Progress, ProgressKey } from './progress-table.ts';

/** older: it stands before the batch. same: at the batch. other: at the batch, with another plan. */
export type Standing = 'older' | 'same' | 'other';

/**
 * Where a row of progress stands, for a task that is about to write.
 * @throws MillraceError FENCED, OUTPUT_CONFLICT: the task must not write.
 */
export function judgeProgress(found: Progress, wanted: Progress, key: ProgressKey): Standing {
  const { batchTime, planHash } = wanted;
  checkEpoch(found, wanted.epoch, key);
  if (found.batchTime > batchTime)
    throw conflict(key, `batch ${iso(batchTime)} is older than ${iso(found.batchTime)}, which it has`);
  if (found.batchTime < batchTime) return 'older';
  return found.planHash === planHash ? 'same' : 'other';
}

/** @throws MillraceError FENCED: a newer run has the output. */
export function checkEpoch(found: Progress, epoch: number, key: ProgressKey): void {
  if (found.epoch <= epoch) return;
  throw new MillraceError(
    'FENCED',
    `epoch ${epoch} writes to output "${key.output}", and epoch ${found.epoch} has taken it over`,
    {
      remedy:
        "Nothing is lost when a newer run of the application goes on. Otherwise another application of this name writes to the same table, or the log of this one was lost: give the output another name, or delete the output's rows from its progress table.",
      details: { ...key, epoch, newer: found.epoch },
    },
  );
}

/** For an application whose log knows no batch. @throws MillraceError OUTPUT_CONFLICT: one was written all the same. */
export function checkUnwritten(found: Progress, key: ProgressKey): void {
  if (found.batchTime < 0) return;
  const what = `the log of ${key.application} knows no batch, and batch ${iso(found.batchTime)} was written to it`;
  throw conflict(
    key,
    what,
    "Either the log was lost: put it back. Or another application of this name writes there: give the output another name. To begin anew, and write again what is read again: submit with --start-anew, or delete the output's rows from its progress table.",
  );
}

/** @throws MillraceError OUTPUT_CONFLICT unless the range begins where the one before ended. */
export function checkFits(found: Progress, fromOffset: number | undefined, key: ProgressKey): void {
  if (found.untilOffset === fromOffset) return;
  throw conflict(
    key,
    `it has offsets until ${found.untilOffset} of ${key.topic}-${key.partition}, and the batch begins at ${fromOffset}`,
  );
}

/** Rows of the batch are there, as another plan made them. */
export function otherPlan(key: ProgressKey, batchTime: number): MillraceError {
  return new MillraceError(
    'OUTPUT_CONFLICT',
    `output "${key.output}" has rows of batch ${iso(batchTime)} as another program, other ranges or another number of partitions made them`,
    {
      remedy:
        'Submit the program and the options that the batch was planned with, let it finish (stop --drain), then submit the changed ones. Or give the batch up with millrace offsets set: what it has written stays.',
      details: { ...key, batchTime },
    },
  );
}

function conflict(
  key: ProgressKey,
  what: string,
  remedy = "When offsets were moved, or the log began anew, on purpose: delete the output's rows from its progress table, or set until_offset there; the next batch is taken as it is.",
): MillraceError {
  const { application, output, topic, partition } = key;
  return new MillraceError('OUTPUT_CONFLICT', `output "${output}" does not fit the batch: ${what}`, {
    remedy,
    details: { application, output, partition, ...(topic === '' ? {} : { topic }) },
  });
}

function iso(batchTime: number): string {
  return new Date(batchTime).toISOString();
}
