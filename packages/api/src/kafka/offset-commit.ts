import { MillraceError } from '@millrace/common';
import { type OffsetRange, topicPartitionKey } from '@millrace/kafka';

/** What `commitAsync` needs of the application engine. */
export interface OffsetCommitter {
  /** `ranges` are checked. See DirectStream.commitAsync. */
  commitAsync(inputId: number, ranges: readonly OffsetRange[]): Promise<void>;
}

/** @throws MillraceError OFFSET_RANGE_INVALID: nothing of it is committed then. */
export function checkCommitted(ranges: readonly OffsetRange[]): readonly OffsetRange[] {
  if (!Array.isArray(ranges)) throw refused('it was given no list of offset ranges');
  return (ranges as readonly (Partial<OffsetRange> | null)[]).map((given) => {
    const { topic, partition, untilOffset } = given ?? {};
    if (typeof topic !== 'string' || topic === '') throw refused('a range has no topic');
    if (typeof partition !== 'number' || !Number.isSafeInteger(partition) || partition < 0)
      throw refused(`${String(partition)} is no partition of ${topic}`);
    if (typeof untilOffset === 'number' && Number.isSafeInteger(untilOffset) && untilOffset >= 0)
      return given as OffsetRange;
    throw refused(
      `until offset ${String(untilOffset)} of ${topicPartitionKey({ topic, partition })} is not an integer in [0, 2^53−1]`,
    );
  });
}

function refused(why: string): MillraceError {
  return new MillraceError('OFFSET_RANGE_INVALID', `commitAsync() cannot commit that: ${why}`, {
    remedy: 'Give it rdd.offsetRanges of the stream.',
  });
}
