import { MillraceError } from '@millrace/common';
import type { TopicPartition } from './topic-partition.ts';

/** `[fromOffset, untilOffset)` of one TopicPartition: from inclusive, until exclusive. It identifies records; it does not hold them. */
export interface OffsetRange extends TopicPartition {
  readonly fromOffset: number;
  readonly untilOffset: number;
  /** Kafka's id of the topic when the range was planned (KIP-516), as a UUID in base64url: a topic that was deleted and recreated has another. */
  readonly topicId?: string;
  /**
   * Of the record before `fromOffset`, or of a later leader that had it when the range was planned (KIP-320): a truncated log is noticed.
   * −1 or absent: unknown.
   */
  readonly leaderEpoch?: number;
}

/** until − from: an upper bound on records (compaction and transactions leave gaps). */
export function offsetSpan(range: OffsetRange): number {
  return range.untilOffset - range.fromOffset;
}

/**
 * A checked, frozen range.
 * @throws MillraceError OFFSET_RANGE_INVALID when from > until or an offset or the partition is no integer in [0, 2^53−1].
 */
export function offsetRange(
  topic: string,
  partition: number,
  fromOffset: number,
  untilOffset: number,
): OffsetRange {
  const ok = [partition, fromOffset, untilOffset].every((n) => Number.isSafeInteger(n) && n >= 0);
  if (!ok || fromOffset > untilOffset || topic === '') {
    throw new MillraceError(
      'OFFSET_RANGE_INVALID',
      `[${fromOffset}, ${untilOffset}) of ${topic}-${partition} is not an offset range`,
      {
        remedy: 'Give integers with 0 ≤ from ≤ until.',
        details: { topic, partition, fromOffset, untilOffset },
      },
    );
  }
  return Object.freeze({ topic, partition, fromOffset, untilOffset });
}
