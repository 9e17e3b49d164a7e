import { compareTopicPartitions, type OffsetRange, topicPartitionKey } from '@millrace/kafka';
import type { PartitionOffsets } from '../../offset-report.ts';
import type { LogState } from '../log/log-state.ts';
import { loggedPartitions, standsOf } from './input-stand.ts';

// What a batch was to read that is given up before any other was committed: its ranges are all that tells where its partitions begin.
// Without a position they would be new ones to the next start, which begin at their earliest offset.

type Named = Pick<PartitionOffsets, 'inputId' | 'topic' | 'partition'>;

function nameOf({ inputId, topic, partition }: Named): string {
  return `${inputId} ${topicPartitionKey({ topic, partition })}`;
}

/** Ranges of the planned batch whose partitions have no position, and are not given one by the change. */
export function unreadRanges(
  { positions, pending }: LogState,
  changed: readonly PartitionOffsets[],
): ReadonlyMap<string, OffsetRange> {
  const placed = new Set(changed.filter(({ target }) => target !== undefined).map(nameOf));
  return new Map(
    (pending?.inputs ?? []).flatMap(({ inputId, ranges }) =>
      ranges
        .filter((range) => !positions.get(inputId)?.has(topicPartitionKey(range)))
        .map((range): [string, OffsetRange] => [nameOf({ inputId, ...range }), range])
        .filter(([name]) => !placed.has(name)),
    ),
  );
}

export function rangeOf(kept: ReadonlyMap<string, OffsetRange>, of: Named): OffsetRange | undefined {
  return kept.get(nameOf(of));
}

/** The partitions of a report, also of inputs that the job does not have any more, where `kept` ranges are read from their beginning. */
export function keeping(
  partitions: readonly PartitionOffsets[],
  kept: ReadonlyMap<string, OffsetRange>,
  state: LogState,
): readonly PartitionOffsets[] {
  const known = new Set(partitions.map(nameOf));
  const left = standsOf(state)
    .flatMap((stand) => loggedPartitions(stand))
    .filter((each) => kept.has(nameOf(each)) && !known.has(nameOf(each)));
  return [...partitions, ...left]
    .map((each) => {
      const range = rangeOf(kept, each);
      // It stays in the topic that it was planned in, whichever there is now.
      return range ? { ...each, target: range.fromOffset, isRecreated: false } : each;
    })
    .toSorted((a, b) => a.inputId - b.inputId || compareTopicPartitions(a, b));
}
