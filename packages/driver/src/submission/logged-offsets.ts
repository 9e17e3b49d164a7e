import { MillraceError } from '@millrace/common';
import type { LogFiles } from '../application/log/log-files.ts';
import { type ReadLog, readLog, recoverLog } from '../application/log/log-reader.ts';
import type { PlannedBatch } from '../application/log/log-record.ts';
import type { LoggedSums } from '../application/log/logged-sums.ts';
import { loggedPartitions, standsOf } from '../application/offsets/input-stand.ts';
import type { OffsetReport } from '../offset-report.ts';

/** Where an application stands, as its log says. Kafka is not asked. @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH. */
export function loggedOffsets(application: string, files: LogFiles): OffsetReport {
  const { state, epoch } = again(() => recoverLog(files));
  return {
    application,
    epoch,
    lastBatchTime: state.lastDone,
    pendingBatchTime: state.pending?.batchTime,
    givesUp: false,
    executed: false,
    partitions: standsOf(state).flatMap((stand) => loggedPartitions(stand)),
    notes: [],
  };
}

/** The batch that is planned and not committed. @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH. */
export function loggedPending(files: LogFiles): PlannedBatch | undefined {
  return again(() => recoverLog(files)).state.pending;
}

/** Over what it has committed. @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH. */
export function loggedSums(files: LogFiles): LoggedSums {
  return again(() => recoverLog(files)).state.sums;
}

/** All that the log of an application still holds. @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH. */
export function loggedBatches(files: LogFiles): ReadLog {
  return again(() => readLog(files));
}

/** The application may run, and remove an old segment while it is looked for. */
function again<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!MillraceError.is(error, 'LOG_CORRUPT')) throw error;
    return read();
  }
}
