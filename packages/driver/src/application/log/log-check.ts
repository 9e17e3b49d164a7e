import type { OffsetMove, OffsetMoves } from './log-record.ts';

/** Something that a log must not say. */
export interface LogFinding {
  /** File, and byte where it is known. */
  readonly where: string;
  readonly what: string;
}

/** What the log tells of one partition of a stream. Offsets of a partition lie in [from, until). */
export interface CheckedPartition {
  readonly input: number;
  readonly topic: string;
  readonly partition: number;
  /** The first offset that the segments which are still there tell of. */
  readonly from: number;
  /** Committed batches have read, or logged moves have passed, all before it. */
  until: number;
  /** Offsets in committed ranges. */
  read: number;
  /** Offsets that logged moves passed, by reason. */
  readonly skipped: Record<OffsetMoves['reason'], number>;
  /** Offsets that logged moves went back over: they are read again. */
  repeated: number;
}

export interface CheckedState {
  readonly operators: number;
  readonly files: number;
  readonly sections: number;
  readonly bytes: number;
  readonly keys: number;
  /** State files that nothing names: the next start removes them. */
  readonly unnamed: number;
}

/** What a check of a log found, and what it looked at. */
export interface LogCheck {
  /** The directory. */
  readonly where: string;
  /** At most FINDINGS_MAX; `more` counts the others. Empty: promises P1 and P2 hold. */
  readonly findings: readonly LogFinding[];
  readonly more: number;
  readonly segments: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  /** Records that count. */
  readonly records: number;
  /** Records of fenced epochs, behind their fence points: they never counted. */
  readonly fenced: number;
  /** Bytes of writes that were cut off. */
  readonly tornBytes: number;
  readonly planned: number;
  readonly committed: number;
  /** Batches that another epoch committed than the one that planned them. */
  readonly resumed: number;
  readonly givenUp: number;
  readonly moves: number;
  readonly firstBatchTime: number | undefined;
  readonly lastCommitted: number | undefined;
  /** Planned and not committed: it runs again at the next start. */
  readonly pending: number | undefined;
  readonly partitions: readonly CheckedPartition[];
  readonly state: CheckedState | undefined;
}

const FINDINGS_MAX = 200;

/** Collects findings; the first ones are kept. */
export class Findings {
  readonly list: LogFinding[] = [];
  more = 0;

  add(where: string, what: string): void {
    if (this.list.length < FINDINGS_MAX) this.list.push({ where, what });
    else this.more += 1;
  }
}

/** One move of a partition, as the report counts it. Records of another topic are neither skipped nor read again. */
export function countMove(
  partition: CheckedPartition,
  reason: OffsetMoves['reason'],
  { offset }: OffsetMove,
  isOtherTopic: boolean,
): void {
  const by = isOtherTopic ? 0 : offset - partition.until;
  if (by > 0) partition.skipped[reason] += by;
  else partition.repeated -= by;
  partition.until = offset;
}
