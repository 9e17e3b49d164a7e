import type { DirectKafkaInput } from '@millrace/api/internal';
import type { MillraceError } from '@millrace/common';
import { type KafkaClient, type TopicPartition, topicPartitionKey } from '@millrace/kafka';
import type { Discovery } from './discovery.ts';
import {
  type LoggedStart,
  noStartOffset,
  type StartPosition,
  startPosition,
  startProblem,
  startsOfNobody,
  topicRecreated,
  undecided,
} from './start-positions.ts';
import type { TrackedPartitions } from './tracked-partitions.ts';

/**
 * Where each partition of a stream begins: as the log says, or on a first run as the job says. Returns every problem that keeps it from
 * beginning; none: it may begin.
 */
export async function beginPartitions(
  { input, kafka }: { readonly input: DirectKafkaInput; readonly kafka: KafkaClient },
  tracked: TrackedPartitions,
  { partitions, topics, starts }: Discovery,
  logged: LoggedStart,
): Promise<readonly MillraceError[]> {
  // Offsets that somebody gave are to be right.
  const maySkip = ({ by }: StartPosition): boolean => !input.options.failOnDataLoss && by !== 'strategy';
  const { groupId, startFrom, isolation } = input.options;
  const given = new Map([...input.options.offsets, ...starts]);
  const unsaid = undecided(partitions, { logged, given });
  // The bounds are asked for around what they bound: both only ever grow, also while records come in or are deleted.
  const [earliest, committed] = await Promise.all([
    kafka.listOffsets(partitions, 'earliest'),
    unsaid.length === 0 ? new Map() : kafka.committedOffsets(groupId, unsaid),
  ]);
  const open = unsaid.filter((tp) => !committed.has(topicPartitionKey(tp)));
  const fallback =
    startFrom === undefined || open.length === 0
      ? undefined
      : await kafka.listOffsets(open, startFrom, isolation);
  const end = await kafka.listOffsets(partitions, 'latest', 'read_uncommitted');
  const problems: MillraceError[] = logged.isFirst ? startsOfNobody(given, partitions) : [];
  const homeless: TopicPartition[] = [];
  tracked.clear();
  for (const tp of partitions) {
    const key = topicPartitionKey(tp);
    const start = startPosition(tp, { logged, given, committed, fallback, earliest });
    if (start === undefined) {
      homeless.push(tp);
      continue;
    }
    const facts = topics.get(key);
    const before = logged.positions.get(key)?.topicId;
    const logStart = earliest.get(key)?.offset ?? 0;
    const isRecreated = before !== undefined && facts?.topicId !== undefined && before !== facts.topicId;
    if (isRecreated) problems.push(topicRecreated(tp.topic, before, facts.topicId ?? ''));
    else if (start.offset < logStart && maySkip(start)) tracked.lose(tp, logStart);
    else {
      const problem = startProblem(start, logStart, end.get(key)?.offset ?? 0);
      if (problem) problems.push(problem);
    }
    tracked.begin(start, facts);
  }
  if (homeless.length > 0) problems.push(noStartOffset(homeless, groupId));
  tracked.keep(logged.positions);
  return distinctTopics(problems);
}

/** A recreated topic is one problem, not one a partition. */
function distinctTopics(problems: readonly MillraceError[]): readonly MillraceError[] {
  return problems.filter(
    ({ code, what }, index) =>
      code !== 'TOPIC_RECREATED' || problems.findIndex((other) => other.what === what) === index,
  );
}
