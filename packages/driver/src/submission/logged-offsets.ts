import { MillraceError } from '@millrace/common';
import { compareTopicPartitions } from '@millrace/kafka';
import type { LogFiles } from '../application/log/log-files.ts';
import { type ReadLog, readLog, recoverLog } from '../application/log/log-reader.ts';
import type { PlannedBatch } from '../application/log/log-record.ts';
import type { OffsetReport } from '../offset-report.ts';

/** Where an application stands, as its log says. Kafka is not asked. @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH. */
export function loggedOffsets(application: string, files: LogFiles): OffsetReport {
  const { state, epoch } = again(() => recoverLog(files));
  const partitions = [...state.positions].flatMap(([inputId, at]) =>
    [...at.values()].toSorted(compareTopicPartitions).map(({ topic, partition, offset }) => ({
      inputId,
      topic,
      partition,
      position: offset,
      earliest: undefined,
      latest: undefined,
      target: undefined,
    })),
  );
  return {
    application,
    epoch,
    lastBatchTime: state.lastCommitted,
    pendingBatchTime: state.pending?.batchTime,
    executed: false,
    partitions,
    notes: [],
  };
}

/** The batch that is planned and not committed. @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH. */
export function loggedPending(files: LogFiles): PlannedBatch | undefined {
  return again(() => recoverLog(files)).state.pending;
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
