import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import type { RequestContext } from '../protocol/api.ts';
import type { Partition } from '../storage/topic.ts';

export type LedPartition =
  | { readonly ok: true; readonly partition: Partition }
  | { readonly ok: false; readonly errorCode: KafkaErrorNumber };

/**
 * The partition, when it exists, this node leads it, the client's leader epoch is current (KIP-320; −1: it does not know one),
 * and no fault is injected.
 */
export function ledPartition(
  context: RequestContext,
  topic: string,
  index: number,
  currentLeaderEpoch: number,
): LedPartition {
  const refused = (errorCode: KafkaErrorNumber): LedPartition => ({ ok: false, errorCode });
  const injected = context.faults.errorFor(topic, index);
  if (injected !== undefined) return refused(injected);
  const partition = context.state.topics.partition({ topic, partition: index });
  if (partition === undefined) return refused(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  const { leaderEpoch } = partition.log;
  if (currentLeaderEpoch >= 0 && currentLeaderEpoch < leaderEpoch)
    return refused(KAFKA_ERROR.FENCED_LEADER_EPOCH);
  if (currentLeaderEpoch > leaderEpoch) return refused(KAFKA_ERROR.UNKNOWN_LEADER_EPOCH);
  if (partition.leaderId !== context.nodeId) return refused(KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER);
  return { ok: true, partition };
}
