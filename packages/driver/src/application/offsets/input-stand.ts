import {
  compareTopicPartitions,
  type OffsetRange,
  type TopicPartition,
  type TopicPartitionKey,
  topicPartitionKey,
} from '@millrace/kafka';
import type { PartitionOffsets } from '../../offset-report.ts';
import type { InputPositions, LogState } from '../log/log-state.ts';

/** Where an input stands, as its log says. */
export interface InputStand {
  readonly inputId: number;
  readonly logged: InputPositions;
  /** Of the batch that is planned and not committed. */
  readonly planned: ReadonlyMap<TopicPartitionKey, OffsetRange>;
}

export function standOf({ positions, pending }: LogState, inputId: number): InputStand {
  const ranges = pending?.inputs.find((input) => input.inputId === inputId)?.ranges ?? [];
  return {
    inputId,
    logged: positions.get(inputId) ?? new Map(),
    planned: new Map(ranges.map((range) => [topicPartitionKey(range), range])),
  };
}

/** All inputs that the log tells of. */
export function standsOf(state: LogState): readonly InputStand[] {
  const planned = state.pending?.inputs.map(({ inputId }) => inputId) ?? [];
  const ids = new Set([...state.positions.keys(), ...planned]);
  return [...ids].toSorted((a, b) => a - b).map((inputId) => standOf(state, inputId));
}

/** What the log tells of partitions, where Kafka is not asked. By topic and partition. */
export function loggedPartitions({ inputId, logged, planned }: InputStand): readonly PartitionOffsets[] {
  return [...new Map<TopicPartitionKey, TopicPartition>([...planned, ...logged]).values()]
    .map(({ topic, partition }): PartitionOffsets => {
      const key = topicPartitionKey({ topic, partition });
      return {
        inputId,
        topic,
        partition,
        position: logged.get(key)?.offset,
        earliest: undefined,
        latest: undefined,
        target: undefined,
        planned: plannedOf(planned.get(key)),
        isRecreated: false,
      };
    })
    .toSorted(compareTopicPartitions);
}

export function plannedOf(range: OffsetRange | undefined): PartitionOffsets['planned'] {
  return range && { from: range.fromOffset, until: range.untilOffset };
}
