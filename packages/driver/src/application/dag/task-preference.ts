import type { KafkaSourceInfo } from '@millrace/api/internal';
import { assertNever } from '@millrace/common';
import { type OffsetRange, type TopicPartition, topicPartitionKey } from '@millrace/kafka';
import type { TaskPreference } from '../../task-backend.ts';
import type { MapBlock } from './map-outputs.ts';
import {
  childOf,
  type PipelineSource,
  type Stage,
  type StageId,
  type StageTask,
  type TaskInput,
} from './stage.ts';
import { storedInputs } from './task-input.ts';

/** Host of a partition's leader; '' when it is not known. */
export type LeaderHost = (tp: TopicPartition) => string;

/** Where the records of a task are fetched best. Of a merge: its first child with a preference. */
export function preferenceOf(
  source: PipelineSource,
  input: TaskInput,
  leaderHost: LeaderHost,
): TaskPreference {
  if (source.kind === 'merge' && input.kind === 'merge') {
    for (const [index, childInput] of input.inputs.entries()) {
      const child = childOf(source, input, index);
      const preference = child && preferenceOf(child.source, childInput, leaderHost);
      if (preference && preference.kind !== 'any') return preference;
    }
  }
  if (source.kind !== 'kafka' || input.kind !== 'range') return { kind: 'any' };
  const key = topicPartitionKey(input.range);
  const affinity = consumerAffinity(source.info, input.range);
  const host = hostOf(source.info, key, input.range, leaderHost);
  return host === '' ? { kind: 'consistent', key, affinity } : { kind: 'host', host, key, affinity };
}

/**
 * Where a task runs best, now that it is known where the map tasks left what it reads. A partition of a persisted dataset without any other
 * preference is at home where its like is: datasets of one shape, as the batches of a window, meet without moving.
 */
export function preferenceAtLaunch(
  stage: Stage,
  { preference, partition, input }: StageTask,
  blockOf: (from: StageId, mapPartition: number, bucket: number) => MapBlock | undefined,
): TaskPreference {
  if (preference.kind !== 'any') return preference;
  const bytes = new Map<string, number>();
  for (const read of storedInputs(input)) {
    if (read.kind !== 'stored') continue;
    const block = blockOf(read.from, read.mapPartition, read.bucket);
    if (block && block.executorId !== '')
      bytes.set(block.executorId, (bytes.get(block.executorId) ?? 0) + block.bytes);
  }
  const affinity = `stored/${partition}`;
  const [most] = [...bytes].toSorted((a, b) => b[1] - a[1]);
  if (most) return { kind: 'executor', executorId: most[0], affinity };
  if (stage.kind !== 'map' || stage.stored.kind !== 'persisted') return preference;
  return { kind: 'consistent', key: affinity, affinity };
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
