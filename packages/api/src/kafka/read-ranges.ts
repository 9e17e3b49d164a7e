import { type OffsetRange, topicPartitionKey } from '@millrace/kafka';

/** Offsets of a partition: [fromOffset, untilOffset). */
export type ReadRange = Pick<OffsetRange, 'topic' | 'partition' | 'fromOffset' | 'untilOffset'>;

/** Gaps are rare: what is read begins where the last batch ended. */
const RANGES_MAX = 1_000;

/** Which offsets have been read, by partition: few ranges, since those that touch become one. */
export class ReadRanges {
  /** Sorted, with gaps between them. */
  readonly #ranges = new Map<string, ReadRange[]>();

  add(read: ReadRange): void {
    const { topic, partition } = read;
    if (read.untilOffset <= read.fromOffset) return;
    const key = topicPartitionKey(read);
    const known = this.#ranges.get(key) ?? [];
    const apart = known.filter((one) => !touch(one, read));
    const joined = known.filter((one) => touch(one, read));
    apart.push({
      topic,
      partition,
      fromOffset: Math.min(read.fromOffset, ...joined.map(({ fromOffset }) => fromOffset)),
      untilOffset: Math.max(read.untilOffset, ...joined.map(({ untilOffset }) => untilOffset)),
    });
    apart.sort((a, b) => a.fromOffset - b.fromOffset);
    // The oldest are forgotten.
    this.#ranges.set(key, apart.slice(-RANGES_MAX));
  }

  /** What has been read of these ranges already. */
  within(ranges: readonly OffsetRange[]): readonly ReadRange[] {
    const found = new Set<ReadRange>();
    for (const range of ranges)
      for (const read of this.#ranges.get(topicPartitionKey(range)) ?? [])
        if (read.fromOffset < range.untilOffset && range.fromOffset < read.untilOffset) found.add(read);
    return [...found];
  }
}

function touch(a: ReadRange, b: ReadRange): boolean {
  return a.fromOffset <= b.untilOffset && b.fromOffset <= a.untilOffset;
}
