import { MillraceError, messageOf } from '@millrace/common';
import { directoryLogFiles, type LogFiles } from './log-files.ts';
import type { BatchMetrics, FencePoint, LogRecord, OffsetMoves, PlannedBatch } from './log-record.ts';
import { applyRecord, EMPTY_LOG, keepingHistory, type LogState, planOf } from './log-state.ts';
import { BEGIN_ANEW, corrupt, decodeSegment, type SegmentContent } from './record-codec.ts';
import { type SegmentName, segmentsOf } from './segment-name.ts';

/** What a starting application must know. */
export interface RecoveredLog {
  readonly state: LogState;
  /** The highest epoch ever taken; 0 on a first run. */
  readonly epoch: number;
  /** Where the log ends; undefined on a first run. */
  readonly end: FencePoint | undefined;
}

export interface LoggedBatch {
  readonly planned: PlannedBatch;
  /** Absent: it was not committed. */
  readonly committed: { readonly epoch: number; readonly metrics: BatchMetrics } | undefined;
}

/** Everything that a log still holds: for tools and tests. */
export interface ReadLog extends RecoveredLog {
  /** In order of batch time. */
  readonly batches: readonly LoggedBatch[];
  /** In the order in which they were decided. */
  readonly moves: readonly LoggedMoves[];
}

export interface LoggedMoves extends OffsetMoves {
  readonly epoch: number;
}

/**
 * The state at the end of a log. Only the newest segment that holds an anchor is read: an anchor says all that went before.
 * `keepMs`: what is wanted of past batches, whatever the program kept that wrote the log; absent: what that kept.
 * @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH.
 */
export function recoverLog(files: LogFiles, keepMs?: number): RecoveredLog {
  const segments = segmentsOf(files.list());
  const epoch = segments.at(-1)?.epoch ?? 0;
  for (const segment of segments.toReversed()) {
    const content = readSegment(files, segment);
    if (content.records.length === 0) continue;
    const end = { epoch: segment.epoch, segment: segment.segment, bytes: content.bytes };
    return { state: fold(content.records, `${files.where}/${segment.name}`, keepMs), epoch, end };
  }
  // Starts that died before their anchor leave empty segments. When the first epoch is not among them, its log is gone.
  if (segments.length > 0 && segments[0]?.epoch !== 1)
    throw corrupt(files.where, 0, 'no segment has an anchor');
  return { state: keepingHistory(EMPTY_LOG, keepMs ?? 0), epoch, end: undefined };
}

/**
 * All batches that the segments of a log directory hold. What a fenced epoch wrote behind its fence point is left out.
 * @throws MillraceError LOG_CORRUPT, VERSION_MISMATCH; INTERNAL when the records contradict each other.
 */
export function readLog(directory: string | LogFiles): ReadLog {
  const files = typeof directory === 'string' ? directoryLogFiles(directory) : directory;
  const segments = segmentsOf(files.list()).map((segment) => ({
    ...segment,
    content: readSegment(files, segment),
  }));
  const batches = new Map<number, LoggedBatch>();
  const moves: LoggedMoves[] = [];
  let state = EMPTY_LOG;
  for (const { name, records } of withoutFenced(segments)) {
    for (const { record } of records) {
      if (record.kind === 'anchor') checkAnchor(state, record, name);
      state = applyRecord(state, record);
      if (record.kind === 'moved') moves.push(record);
      else if (record.kind !== 'output') noteBatch(batches, record);
    }
  }
  return { ...recoverLog(files), batches: [...batches.values()], moves };
}

function noteBatch(
  batches: Map<number, LoggedBatch>,
  record: Exclude<LogRecord, { readonly kind: 'moved' | 'output' }>,
): void {
  if (record.kind === 'committed') {
    const batch = batches.get(record.batchTime);
    if (batch)
      batches.set(record.batchTime, {
        ...batch,
        committed: { epoch: record.epoch, metrics: record.metrics },
      });
    return;
  }
  const planned = record.kind === 'planned' ? planOf(record) : record.pending;
  if (planned && !batches.has(planned.batchTime))
    batches.set(planned.batchTime, { planned, committed: undefined });
}

type ReadSegment = SegmentName & { readonly content: SegmentContent };

/** The records that count, by segment. */
function withoutFenced(
  segments: readonly ReadSegment[],
): ReadonlyArray<{ readonly name: string; readonly records: SegmentContent['records'] }> {
  const counting: { name: string; records: SegmentContent['records'] }[] = [];
  let limit: FencePoint | undefined;
  for (const { epoch, segment, name, content } of segments.toReversed()) {
    const first = content.records[0]?.record;
    if (first === undefined) continue;
    if (first.kind !== 'anchor') throw corrupt(name, 0, 'it does not begin with an anchor');
    if (limit && (epoch > limit.epoch || (epoch === limit.epoch && segment > limit.segment))) continue;
    // The one before is past retention.
    if (limit && (epoch !== limit.epoch || segment !== limit.segment)) break;
    const bytes = limit?.bytes ?? content.bytes;
    if (bytes > content.bytes)
      throw corrupt(name, content.bytes, `it ends before byte ${bytes}, where its successor began`);
    counting.push({ name, records: content.records.filter(({ end }) => end <= bytes) });
    limit = first.fence;
    if (limit === undefined) break;
  }
  return counting.toReversed();
}

function checkAnchor(state: LogState, anchor: LogRecord & { kind: 'anchor' }, name: string): void {
  if (state === EMPTY_LOG) return;
  const same =
    anchor.lastCommitted === state.lastCommitted && anchor.pending?.batchTime === state.pending?.batchTime;
  if (!same) throw corrupt(name, 0, 'its anchor says something else than the segments before it');
}

function readSegment(files: LogFiles, { name, segment }: SegmentName): SegmentContent {
  const content = decodeSegment(bytesOf(files, name), `${files.where}/${name}`);
  // Only the first segment of an epoch can be without a record: the others appear under their name when they have one.
  if (content.records.length === 0 && segment > 1)
    throw corrupt(`${files.where}/${name}`, 0, 'it has no anchor');
  return content;
}

function bytesOf(files: LogFiles, name: string): Uint8Array {
  try {
    return files.read(name);
  } catch (error) {
    throw new MillraceError('LOG_CORRUPT', `${files.where}/${name} cannot be read: ${messageOf(error)}`, {
      remedy: `Make it a file that the driver may read; what does not belong there is to be moved away. ${BEGIN_ANEW}`,
      details: { file: `${files.where}/${name}` },
      cause: error,
    });
  }
}

function fold(records: SegmentContent['records'], file: string, keepMs: number | undefined): LogState {
  if (records[0]?.record.kind !== 'anchor') throw corrupt(file, 0, 'it does not begin with an anchor');
  let state = EMPTY_LOG;
  let at = 0;
  for (const { record, end } of records) {
    try {
      state = applyRecord(state, record);
      // Before what was not kept is dropped.
      if (record.kind === 'anchor' && keepMs !== undefined)
        state = keepingHistory(state, Math.max(keepMs, state.history.keepMs));
    } catch (error) {
      throw corrupt(file, at, `its records contradict each other: ${messageOf(error)}`);
    }
    at = end;
  }
  return keepMs === undefined ? state : keepingHistory(state, keepMs);
}
