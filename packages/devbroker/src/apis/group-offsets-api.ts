import { KAFKA_ERROR, type KafkaErrorNumber, type TopicPartition } from '@millrace/kafka';
import type { BrokerState } from '../broker-state.ts';
import { defineApi, type RequestContext } from '../protocol/api.ts';
import {
  array,
  between,
  boolean,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  type ReadOf,
  since,
  string,
  struct,
  upTo,
  withDefault,
} from '../protocol/schema.ts';
import { partitionsOf } from './topic-partitions.ts';

// Kafka's default of offset.metadata.max.bytes.
const METADATA_BYTES_MAX = 4096;

const committing = struct({
  index: int32,
  offset: int64,
  leaderEpoch: since(6, int32, -1),
  metadata: nullableString,
});

export const offsetCommitApi = defineApi({
  name: 'OffsetCommit',
  minVersion: 2,
  maxVersion: 9,
  flexibleFrom: 8,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(7, nullableString, null),
    retentionTimeMs: upTo(4, int64, -1),
    topics: array(struct({ name: string, partitions: array(committing) })),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
  }),
  targets: ({ topics }) => partitionsOf(topics),
  handle({ groupId, generationId, memberId, topics }, context) {
    const { groups } = context.state;
    const refusal =
      groupId === '' ? KAFKA_ERROR.INVALID_GROUP_ID : groups.checkCommit(groupId, memberId, generationId);
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => ({
          index: partition.index,
          errorCode: refusal === KAFKA_ERROR.NONE ? commit(context, groupId, name, partition) : refusal,
        })),
      })),
    };
  },
});

function commit(
  { state, faults }: RequestContext,
  groupId: string,
  topic: string,
  { index, offset, leaderEpoch, metadata }: ReadOf<typeof committing>,
): KafkaErrorNumber {
  const injected = faults.errorFor(topic, index);
  if (injected !== undefined) return injected;
  const problem = offsetProblem(state, { topic, partition: index }, metadata);
  if (problem !== KAFKA_ERROR.NONE) return problem;
  state.groups.getOrCreate(groupId).offsets.set(topic, index, { offset, leaderEpoch, metadata });
  return KAFKA_ERROR.NONE;
}

/** Why an offset of a partition cannot be committed. */
export function offsetProblem(
  state: BrokerState,
  tp: TopicPartition,
  metadata: string | null,
): KafkaErrorNumber {
  if (state.topics.partition(tp) === undefined) return KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION;
  return metadata !== null && Buffer.byteLength(metadata) > METADATA_BYTES_MAX
    ? KAFKA_ERROR.OFFSET_METADATA_TOO_LARGE
    : KAFKA_ERROR.NONE;
}

const wantedTopics = nullableArray(struct({ name: string, partitions: array(int32) }));
const offsetTopics = array(
  struct({
    name: string,
    partitions: array(
      struct({
        index: int32,
        offset: int64,
        leaderEpoch: since(5, int32, -1),
        metadata: nullableString,
        errorCode: int16,
      }),
    ),
  }),
);

export const offsetFetchApi = defineApi({
  name: 'OffsetFetch',
  minVersion: 1,
  maxVersion: 9,
  flexibleFrom: 6,
  request: struct({
    groupId: upTo(7, string, ''),
    topics: upTo(7, wantedTopics, []),
    groups: since(
      8,
      array(
        struct({
          groupId: string,
          memberId: since(9, nullableString, null),
          memberEpoch: since(9, int32, -1),
          topics: wantedTopics,
        }),
      ),
      [],
    ),
    requireStable: since(7, boolean, false),
  }),
  response: struct({
    throttleTimeMs: since(3, int32, 0),
    topics: upTo(7, offsetTopics, []),
    errorCode: between(2, 7, int16, 0),
    groups: since(8, array(struct({ groupId: string, topics: offsetTopics, errorCode: int16 })), []),
  }),
  targets: ({ topics, groups }) =>
    partitionsOf([topics ?? [], ...groups.map((group) => group.topics ?? [])].flat()),
  handle({ groupId, topics, groups, requireStable }, context) {
    if (context.version < 8) return { topics: committed(context, groupId, topics, requireStable) };
    return {
      groups: groups.map((group) => ({
        groupId: group.groupId,
        topics: committed(context, group.groupId, group.topics, requireStable),
        errorCode: KAFKA_ERROR.NONE,
      })),
    };
  },
});

/** Null: everything that the group has committed. A partition without a committed offset answers −1 and no error. */
function committed(
  { state, faults }: RequestContext,
  groupId: string,
  wanted: ReadOf<typeof wantedTopics>,
  requireStable: boolean,
) {
  const offsets = state.groups.get(groupId)?.offsets;
  const topics =
    wanted ?? (offsets?.all() ?? []).map(({ topic, partitions }) => ({ name: topic, partitions }));
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((index) => {
      const unstable = requireStable && offsets?.isPending(name, index) === true;
      const found = unstable ? undefined : offsets?.get(name, index);
      const errorCode = unstable ? KAFKA_ERROR.UNSTABLE_OFFSET_COMMIT : KAFKA_ERROR.NONE;
      return {
        index,
        offset: found?.offset ?? -1,
        leaderEpoch: found?.leaderEpoch ?? -1,
        metadata: found?.metadata ?? '',
        errorCode: faults.errorFor(name, index) ?? errorCode,
      };
    }),
  }));
}

export const offsetDeleteApi = defineApi({
  name: 'OffsetDelete',
  minVersion: 0,
  maxVersion: 0,
  // It never became flexible.
  flexibleFrom: 1,
  request: struct({
    groupId: string,
    topics: array(struct({ name: string, partitions: array(struct({ index: int32 })) })),
  }),
  response: struct({
    errorCode: withDefault(int16, 0),
    throttleTimeMs: withDefault(int32, 0),
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
  }),
  handle({ groupId, topics }, { state, faults }) {
    const injected = faults.errorFor();
    const group = state.groups.get(groupId);
    if (injected !== undefined || group === undefined) {
      return { errorCode: injected ?? KAFKA_ERROR.GROUP_ID_NOT_FOUND, topics: [] };
    }
    if (group.coordinator.state !== 'EMPTY') return { errorCode: KAFKA_ERROR.NON_EMPTY_GROUP, topics: [] };
    return {
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ index }) => {
          group.offsets.delete(name, index);
          return { index, errorCode: KAFKA_ERROR.NONE };
        }),
      })),
    };
  },
});
