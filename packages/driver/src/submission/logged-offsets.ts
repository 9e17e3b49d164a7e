import { MillraceError } from '@millrace/common';
import type { LogFiles } from '../application/log/log-files.ts';
import { type ReadLog, readLog, recoverLog } from '../application/log/log-reader.ts';
import type { LogState } from '../application/log/log-state.ts';
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

/** What its log says at the end. @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH. */
export function loggedState(files: LogFiles): LogState {
  return again(() => recoverLog(files)).state;
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
