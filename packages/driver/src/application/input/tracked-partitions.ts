import {
  compareTopicPartitions,
  type ListedOffset,
  type TopicPartition,
  type TopicPartitionKey,
  topicPartitionKey,
} from '@millrace/kafka';
import type { LoggedRange } from '../log/log-record.ts';
import type { InputPositions } from '../log/log-state.ts';
import type { Discovery, PartitionFacts } from './discovery.ts';
import { belowLogStart, type StartPosition, topicRecreated } from './start-positions.ts';

export interface TrackedPartition extends TopicPartition {
  /** First offset that no batch has planned. */
  position: number;
  topicId: string | undefined;
  /** See LoggedRange.untilEpoch; −1: unknown. */
  leaderEpoch: number;
  leaderHost: string;
  /** Assigned by the strategy now. */
  active: boolean;
  /** Since when Kafka has told of an end before `position`. */
  behindSince: number | undefined;
}

const UNKNOWN: PartitionFacts = { topicId: undefined, leaderHost: '' };

/** Records that were gone before they were read, and that the stream was told to do without. */
export interface SkippedOffsets extends TopicPartition {
  readonly from: number;
  /** The first offset that there is. */
  readonly to: number;
  readonly topicId: string | undefined;
}

/** The partitions of one stream, and where each of them stands. Those that are no longer assigned keep their place. */
export class TrackedPartitions {
  readonly #partitions = new Map<TopicPartitionKey, TrackedPartition>();
  readonly #notice: (level: 'info' | 'warn', text: string) => void;
  readonly #failOnDataLoss: boolean;
  /** Where logs begin by now, of partitions that stand before that. */
  readonly #lost = new Map<TopicPartitionKey, number>();
  readonly #skipped: SkippedOffsets[] = [];
  #starts: StartPosition[] = [];

  constructor(notice: (level: 'info' | 'warn', text: string) => void, failOnDataLoss = true) {
    this.#notice = notice;
    this.#failOnDataLoss = failOnDataLoss;
  }

  clear(): void {
    this.#partitions.clear();
    this.#lost.clear();
    this.#starts = [];
  }

  /** Where they began. */
  get starts(): readonly StartPosition[] {
    return this.#starts;
  }

  /** The partition's log begins here by now; see `skipLost`. */
  lose(tp: TopicPartition, logStart: number): void {
    this.#lost.set(topicPartitionKey(tp), logStart);
  }

  /** Partitions that stand before the beginning of their logs go on there. To be called when no batch is being planned. Returns how many offsets are skipped. */
  skipLost(): number {
    let offsets = 0;
    for (const [key, to] of this.#lost) {
      const partition = this.#partitions.get(key);
      if (!partition || partition.position >= to) continue;
      const { topic, partition: number, position: from, topicId } = partition;
      this.#skipped.push({ topic, partition: number, from, to, topicId });
      this.#notice(
        'warn',
        `${to - from} offsets of ${key} were deleted before they were read: skipped ${from} to ${to - 1}, as failOnDataLoss: false says`,
      );
      partition.position = to;
      partition.leaderEpoch = -1;
      offsets += to - from;
    }
    this.#lost.clear();
    return offsets;
  }

  /** What was skipped since the last call. */
  takeSkipped(): readonly SkippedOffsets[] {
    return this.#skipped.splice(0);
  }

  begin(start: StartPosition, { topicId, leaderHost }: PartitionFacts = UNKNOWN): void {
    const { topic, partition, offset: position, leaderEpoch } = start;
    if (start.by === 'discovery')
      this.#notice(
        'info',
        `partition ${topicPartitionKey(start)} is new: it begins at its earliest offset ${position}`,
      );
    this.#starts.push(start);
    this.#track({ topic, partition, position, topicId, leaderEpoch, leaderHost, active: true });
  }

  /** Positions of the log whose partitions are not assigned now. */
  keep(logged: InputPositions): void {
    for (const [key, { offset: position, ...rest }] of logged) {
      if (!this.#partitions.has(key)) this.#track({ ...rest, position, leaderHost: '', active: false });
    }
  }

  /** By topic and partition. */
  active(): readonly TrackedPartition[] {
    return [...this.#partitions.values()].filter(({ active }) => active).toSorted(compareTopicPartitions);
  }

  all(): Iterable<TrackedPartition> {
    return this.#partitions.values();
  }

  positions(): ReadonlyMap<string, number> {
    return new Map([...this.#partitions].map(([key, { position }]) => [key, position]));
  }

  leaderHost(tp: TopicPartition): string {
    return this.#partitions.get(topicPartitionKey(tp))?.leaderHost ?? '';
  }

  /** A batch was planned: the next one begins where it ends. */
  advance(ranges: readonly LoggedRange[]): void {
    for (const range of ranges) {
      const partition = this.#partitions.get(topicPartitionKey(range));
      if (!partition) continue;
      partition.position = range.untilOffset;
      partition.leaderEpoch = range.untilEpoch ?? -1;
    }
  }

  /**
   * What the strategy chose now: partitions join, leave and change their leaders.
   * @throws MillraceError TOPIC_RECREATED, OFFSET_OUT_OF_RANGE.
   */
  apply({ partitions, topics, starts }: Discovery, earliest: ReadonlyMap<string, ListedOffset>): void {
    const assigned = new Set<string>();
    for (const tp of partitions) {
      const key = topicPartitionKey(tp);
      assigned.add(key);
      const logStart = earliest.get(key)?.offset ?? 0;
      const { topicId, leaderHost } = topics.get(key) ?? UNKNOWN;
      const known = this.#partitions.get(key);
      if (!known) {
        const position = starts.get(key) ?? logStart;
        this.#track({ ...tp, position, topicId, leaderEpoch: -1, leaderHost, active: true });
        this.#notice('info', `partition ${key} is new: it begins at offset ${position}`);
        continue;
      }
      if (known.topicId !== undefined && topicId !== undefined && known.topicId !== topicId) {
        throw topicRecreated(tp.topic, known.topicId, topicId);
      }
      if (known.position < logStart) {
        if (this.#failOnDataLoss) throw belowLogStart(tp, known.position, logStart, 'the next one to read');
        this.lose(tp, logStart);
      }
      known.topicId ??= topicId;
      known.leaderHost = leaderHost;
      known.active = true;
    }
    for (const [key, partition] of this.#partitions) {
      if (!partition.active || assigned.has(key)) continue;
      partition.active = false;
      this.#notice(
        'warn',
        `partition ${key} is no longer assigned; it stays at offset ${partition.position}`,
      );
    }
  }

  #track(partition: Omit<TrackedPartition, 'behindSince'>): void {
    this.#partitions.set(topicPartitionKey(partition), { ...partition, behindSince: undefined });
  }
}
