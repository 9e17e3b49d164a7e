import { MillraceError } from '@millrace/common';
import type { OffsetRange, PartitionReader, RecordColumns } from '@millrace/kafka';

export interface SurvivingRecordsOptions {
  readonly reuseColumns: boolean;
  readonly signal: AbortSignal;
  /** So many offsets of the range were gone. */
  readonly lost: (offsets: number) => void;
}

/**
 * Records of a range, those that retention has deleted left out: also when it passes while they are read.
 * @throws MillraceError as PartitionReader.read, but for offsets below the log start.
 */
export async function* survivingRecords(
  reader: PartitionReader,
  range: OffsetRange,
  { reuseColumns, signal, lost }: SurvivingRecordsOptions,
): AsyncGenerator<RecordColumns, void, undefined> {
  let { fromOffset } = range;
  while (fromOffset < range.untilOffset) {
    try {
      for await (const columns of reader.read({ ...range, fromOffset }, { reuseColumns, signal })) {
        fromOffset = Math.max(fromOffset, (columns.offset[columns.n - 1] ?? fromOffset - 1) + 1);
        yield columns;
      }
      return;
    } catch (error) {
      const begin = Math.min(logStart(error), range.untilOffset);
      if (begin <= fromOffset) throw error;
      lost(begin - fromOffset);
      fromOffset = begin;
    }
  }
}

/** Where the log begins that the error found to begin later than what was read; −1: it says something else. */
function logStart(error: unknown): number {
  if (!MillraceError.is(error, 'OFFSET_OUT_OF_RANGE')) return -1;
  const { offset, earliest } = error.details;
  return typeof offset === 'number' && typeof earliest === 'number' && offset < earliest ? earliest : -1;
}
