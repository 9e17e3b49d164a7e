import { MillraceError, silentLogger } from '@millrace/common';
import { planHashOf } from '../batch/plan-hash.ts';
import { ApplicationLog, type LogClaim } from '../log/application-log.ts';
import { checkLog as checkFiles } from '../log/check-log.ts';
import type { LogCheck } from '../log/log-check.ts';
import type { LoggedInput, LogRecord, PlannedBatch } from '../log/log-record.ts';
import { decodeSegment, encodeRecord } from '../log/record-codec.ts';
import { MemoryLogFiles } from './memory-log-files.ts';
import { MemoryStateFiles } from './memory-state-files.ts';

export const METRICS = { records: 20, tasks: 2, processingMs: 1.5 };
export const FIRST_SEGMENT = 'epoch-00000001-000001.log';

export function openLog(
  files: MemoryLogFiles,
  segmentBytes = 1 << 20,
  historyMs = 0,
  claim?: LogClaim,
): ApplicationLog {
  return ApplicationLog.open({
    files,
    logger: silentLogger,
    segmentBytes,
    segmentsRetained: 1000,
    historyMs,
    ...(claim && { claim }),
  });
}

export function planOfRanges(batchTime: number, inputs: readonly LoggedInput[]): Omit<PlannedBatch, 'epoch'> {
  const program = { programHash: 'p', settings: 's' };
  return { batchTime, ...program, planHash: planHashOf(program, inputs), intervals: 1, inputs };
}

/** Batch n reads [10n, 10n + 10) of two partitions. */
export function batch(n: number, by = 0): Omit<PlannedBatch, 'epoch'> {
  const fromOffset = 10 * n + by;
  const range = { topic: 'vüews', fromOffset, untilOffset: fromOffset + 10, topicId: 'AAAA', leaderEpoch: 2 };
  const ranges = [
    { ...range, partition: 0 },
    { ...range, partition: 1 },
  ];
  return planOfRanges(1_000 * (n + 1), [{ inputId: 0, ranges }]);
}

export function run(log: ApplicationLog, from: number, until: number, by = 0): void {
  for (let n = from; n < until; n++) {
    log.plan(batch(n, by));
    log.commit(batch(n).batchTime, METRICS);
  }
}

export function checkLog(log: MemoryLogFiles, state = new MemoryStateFiles()): Promise<LogCheck> {
  return checkFiles({ log, state, readState: async (...what) => state.read(...what) });
}

export const told = ({ findings }: LogCheck): string =>
  findings.map(({ where, what }) => `${where}: ${what}`).join('\n');

/** Three committed batches, and a planned one. */
export function sound(): MemoryLogFiles {
  const files = new MemoryLogFiles();
  const log = openLog(files);
  run(log, 0, 3);
  log.output('millrace/a/out', 2);
  log.plan(batch(3));
  return files;
}

/** The segment with other records. */
export function rewritten(
  files: MemoryLogFiles,
  change: (records: LogRecord[]) => readonly LogRecord[],
  name = FIRST_SEGMENT,
): MemoryLogFiles {
  const records = decodeSegment(files.read(name), name).records.map(({ record }) => record);
  files.contents.set(name, Buffer.concat(change(records).map((record) => encodeRecord(record))));
  return files;
}

/** Of the error that it throws; none: it throws none. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
  return 'none';
}
