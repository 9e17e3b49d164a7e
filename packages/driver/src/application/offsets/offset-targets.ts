import { MillraceError } from '@millrace/common';
import {
  compareTopicPartitions,
  type KafkaClient,
  type ListedOffset,
  type TopicPartition,
  topicPartitionKey,
} from '@millrace/kafka';
import type { OffsetChange, OffsetTarget, PartitionOffsets } from '../../offset-report.ts';
import type { Discovery } from '../input/discovery.ts';
import { type InputStand, loggedPartitions, plannedOf } from './input-stand.ts';

/** One input, as far as its offsets go. */
export interface InputOffsets {
  readonly stand: InputStand;
  readonly groupId: string;
  readonly kafka: Pick<KafkaClient, 'listOffsets' | 'committedOffsets'>;
  /** What the stream reads now. */
  readonly discovery: Discovery;
}

export interface ChangedOffsets {
  /** By topic and partition. */
  readonly partitions: readonly PartitionOffsets[];
  /** The change says of some partition where it is to stand, be it where it stands. */
  readonly isSaid: boolean;
}

type Offsets = ReadonlyMap<string, { readonly offset: number }>;

/** Where an input stands and ends, and where `change` puts it. @throws MillraceError OFFSET_OUT_OF_RANGE, what Kafka refuses. */
export async function offsetsOf(
  input: InputOffsets,
  change: OffsetChange | undefined,
): Promise<ChangedOffsets> {
  const { stand, kafka, discovery } = input;
  const { inputId, logged, planned } = stand;
  const { partitions } = discovery;
  // The end is the high watermark: a position may lie in a transaction that is open.
  const earliest = await kafka.listOffsets(partitions, 'earliest');
  const latest = await kafka.listOffsets(partitions, 'latest', 'read_uncommitted');
  const chosen = change && isFor(change, inputId) ? partitions.filter((tp) => isNamed(change, tp)) : [];
  const wanted = await targets(input, chosen, change?.target);
  const read = partitions.map((tp): PartitionOffsets => {
    const key = topicPartitionKey(tp);
    const bounds = { earliest: earliest.get(key)?.offset ?? 0, latest: latest.get(key)?.offset ?? 0 };
    const position = logged.get(key)?.offset;
    const range = planned.get(key);
    const now = discovery.topics.get(key)?.topicId;
    const before = logged.get(key)?.topicId ?? range?.topicId;
    const isRecreated = before !== undefined && now !== undefined && before !== now;
    const goal = change && wanted.get(key)?.offset;
    const target = goal === undefined ? undefined : within(change?.target.kind, goal, tp, bounds);
    // At the same offset of another topic it does not stay: the log says of which topic.
    const stays = target === position && !isRecreated;
    return {
      inputId,
      ...tp,
      position,
      ...bounds,
      target: stays ? undefined : target,
      planned: plannedOf(range),
      isRecreated,
    };
  });
  const known = new Set<string>(partitions.map((tp) => topicPartitionKey(tp)));
  const left = loggedPartitions(stand).filter((tp) => !known.has(topicPartitionKey(tp)));
  return { partitions: [...read, ...left].toSorted(compareTopicPartitions), isSaid: wanted.size > 0 };
}

function isFor({ inputId }: OffsetChange, of: number): boolean {
  return inputId === undefined || inputId === of;
}

/** Whether the change is about this partition. */
export function isNamed({ target, only }: OffsetChange, tp: TopicPartition): boolean {
  const key: string = topicPartitionKey(tp);
  if (target.kind === 'exact') return Object.hasOwn(target.offsets, key);
  return only.length === 0 || only.includes(tp.topic) || only.includes(key);
}

async function targets(
  { kafka, groupId, stand }: InputOffsets,
  chosen: readonly TopicPartition[],
  target: OffsetTarget | undefined,
): Promise<Offsets> {
  if (target === undefined || chosen.length === 0) return new Map();
  switch (target.kind) {
    case 'exact':
      return new Map(Object.entries(target.offsets).map(([key, offset]) => [key, { offset }]));
    case 'earliest':
    case 'latest':
      // Of read_committed the end is the last stable offset: what commits later is not skipped.
      return kafka.listOffsets(chosen, target.kind);
    case 'timestamp':
      return kafka.listOffsets(chosen, { timestamp: target.timestamp });
    case 'group':
      return kafka.committedOffsets(groupId, chosen);
    case 'shift':
      return new Map(
        chosen.flatMap((tp) => {
          const key = topicPartitionKey(tp);
          // What a batch that is given up was to read counts as not read.
          const position = stand.logged.get(key)?.offset ?? stand.planned.get(key)?.fromOffset;
          return position === undefined ? [] : [[key, { offset: position + target.by } as ListedOffset]];
        }),
      );
  }
}

function within(
  kind: OffsetTarget['kind'] | undefined,
  offset: number,
  tp: TopicPartition,
  { earliest, latest }: { readonly earliest: number; readonly latest: number },
): number {
  if (offset >= earliest && offset <= latest) return offset;
  if (kind !== 'exact') return Math.min(Math.max(offset, earliest), latest);
  throw new MillraceError(
    'OFFSET_OUT_OF_RANGE',
    `${topicPartitionKey(tp)} has offsets ${earliest} to ${latest}; it cannot stand at ${offset}`,
    {
      remedy: `Give an offset in [${earliest}, ${latest}].`,
      details: { ...tp, offset, earliest, latest },
    },
  );
}
