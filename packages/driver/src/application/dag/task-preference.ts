import type { KafkaSourceInfo } from '@millrace/api/internal';
import { assertNever } from '@millrace/common';
import { type OffsetRange, type TopicPartition, topicPartitionKey } from '@millrace/kafka';
import type { TaskPreference } from '../../task-backend.ts';
import type { PipelineSource, TaskInput } from './stage.ts';

/** Host of a partition's leader; '' when it is not known. */
export type LeaderHost = (tp: TopicPartition) => string;

/** Where the records of a task are fetched best. Of a merge: its first child with a preference. */
export function preferenceOf(
  source: PipelineSource,
  input: TaskInput,
  leaderHost: LeaderHost,
): TaskPreference {
  if (source.kind === 'merge' && input.kind === 'merge') {
    for (const [index, child] of source.children.entries()) {
      const childInput = input.inputs[index];
      const preference = childInput && preferenceOf(child.source, childInput, leaderHost);
      if (preference && preference.kind !== 'any') return preference;
    }
  }
  if (source.kind !== 'kafka' || input.kind !== 'range') return { kind: 'any' };
  const key = topicPartitionKey(input.range);
  const affinity = consumerAffinity(source.info, input.range);
  const host = hostOf(source.info, key, input.range, leaderHost);
  return host === '' ? { kind: 'consistent', key, affinity } : { kind: 'host', host, key, affinity };
}

function hostOf(
  { location }: KafkaSourceInfo,
  key: string,
  range: OffsetRange,
  leaderHost: LeaderHost,
): string {
  switch (location.kind) {
    case 'PreferConsistent':
      return '';
    case 'PreferBrokers':
      return leaderHost(range);
    case 'PreferFixed':
      return location.hosts[key] ?? '';
    default:
      return assertNever(location, 'location strategy');
  }
}

/** What the slots' consumer caches go by. */
export function consumerAffinity(
  { groupId, isolation }: Pick<KafkaSourceInfo, 'groupId' | 'isolation'>,
  range: OffsetRange,
): string {
  return `${groupId}/${isolation}/${topicPartitionKey(range)}`;
}
