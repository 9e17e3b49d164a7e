import { MillraceError } from '@millrace/common';
import { isForeign } from '@millrace/kafka';
import type { Progress, ProgressKey } from './progress-table.ts';

/** older: it stands before the batch. same: at the batch. other: at the batch, with another plan. */
export type Standing = 'older' | 'same' | 'other';

type Owner = Pick<Progress, 'epoch' | 'log'>;
type Batch = Pick<Progress, 'batchTime' | 'planHash'>;

/**
 * Where a row of progress stands, for a task that is about to write. Whose it is: see checkOwner.
 * @throws MillraceError OUTPUT_CONFLICT: the task must not write.
 */
export function judgeProgress(found: Batch, { batchTime, planHash }: Batch, key: ProgressKey): Standing {
  if (found.batchTime > batchTime)
    throw conflict(key, `batch ${iso(batchTime)} is older than ${iso(found.batchTime)}, which it has`);
  if (found.batchTime < batchTime) return 'older';
  return found.planHash === planHash ? 'same' : 'other';
}

/** @throws MillraceError FENCED: a newer run has the output, or an application of this name with another log. */
export function checkOwner(found: Owner, { epoch, log }: Owner, key: ProgressKey): void {
  if (isForeign(found, log))
    throw new MillraceError(
      'FENCED',
      `output "${key.output}" is written by an application of this name with another log (${found.log}, epoch ${found.epoch}; this one is ${log})`,
      {
        remedy:
          "Either another driver runs it with the same table: give the output another name. Or the log of this one was lost: put it back. To begin anew, and write again what is read again: submit with --start-anew, or delete the output's rows from its progress table.",
        details: { ...key, log, found: found.log },
      },
    );
  if (found.epoch <= epoch) return;
  throw new MillraceError(
    'FENCED',
    `epoch ${epoch} writes to output "${key.output}", and epoch ${found.epoch} has taken it over`,
    {
      remedy:
        "Nothing is lost when a newer run of the application goes on. When none does, the log is an older copy: use the newest one. To go on with this one, and write again what is read again: delete the output's rows from its progress table, or give the output another name.",
      details: { ...key, epoch, newer: found.epoch },
    },
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
        'Submit the program and the options that the batch was planned with, let it finish (stop --drain), then submit the changed ones. When they cannot finish it, give up what is there and read the rest again with millrace offsets set, as docs/delivery.md says ("A bug in a batch that is half visible"): what it has written stays.',
      details: { ...key, batchTime },
    },
  );
}

/** @returns what to throw when the output has a batch that the log has not. */
export function unknownBatch(key: ProgressKey, batchTime: number): MillraceError {
  return new MillraceError(
    'OUTPUT_CONFLICT',
    `output "${key.output}" has rows of batch ${iso(batchTime)}, which the log of the application does not know`,
    {
      remedy:
        "An older copy of the log was put back, or another driver runs a copy of it: use the newest one. To go on with this one, and write again what is read again: submit with --start-anew, or delete the output's rows from its progress table.",
      details: { ...key, found: batchTime },
    },
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
