import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import type { RequestContext } from '../protocol/api.ts';
import { defineApi } from '../protocol/api.ts';
import {
  array,
  between,
  boolean,
  int16,
  int32,
  nullableArray,
  nullableString,
  type ReadOf,
  since,
  string,
  struct,
  uuid,
  type WriteOf,
  withDefault,
  ZERO_UUID,
} from '../protocol/schema.ts';
import { NO_LEADER, type Topic } from '../storage/topic.ts';

// "No set of operations": the value that brokers without an authorizer answer with.
const NO_OPERATIONS = -2147483648;

const wantedTopic = struct({
  topicId: since(10, uuid, ZERO_UUID),
  name: nullableString,
});

const request = struct({
  topics: nullableArray(wantedTopic),
  allowAutoTopicCreation: since(4, boolean, true),
  includeClusterAuthorizedOperations: between(8, 10, boolean, false),
  includeTopicAuthorizedOperations: since(8, boolean, false),
});

const topicResponse = struct({
  errorCode: int16,
  name: nullableString,
  topicId: since(10, uuid, ZERO_UUID),
  isInternal: since(1, boolean, false),
  partitions: array(
    struct({
      errorCode: withDefault(int16, 0),
      partition: int32,
      leaderId: int32,
      leaderEpoch: since(7, int32, -1),
      replicaNodes: array(int32),
      isrNodes: array(int32),
      offlineReplicas: since(5, array(int32), []),
    }),
  ),
  topicAuthorizedOperations: since(8, int32, NO_OPERATIONS),
});

const response = struct({
  throttleTimeMs: since(3, int32, 0),
  brokers: array(struct({ id: int32, host: string, port: int32, rack: since(1, nullableString, null) })),
  clusterId: since(2, nullableString, null),
  controllerId: since(1, int32, -1),
  topics: array(topicResponse),
  clusterAuthorizedOperations: between(8, 10, int32, NO_OPERATIONS),
});

type WantedTopic = ReadOf<typeof wantedTopic>;
type TopicResponse = WriteOf<typeof topicResponse>;

export const metadataApi = defineApi({
  name: 'Metadata',
  minVersion: 0,
  maxVersion: 12,
  flexibleFrom: 9,
  request,
  response,
  targets: ({ topics }, state) =>
    (topics ?? state.topics.all().map(({ name }) => ({ name, topicId: ZERO_UUID }))).map(
      ({ name, topicId }) => ({ topic: name ?? state.topics.getById(topicId)?.name ?? '' }),
    ),
  handle: (wanted, context) => ({
    brokers: context.state.nodes,
    clusterId: context.state.clusterId,
    controllerId: (context.state.nodes[0] as { readonly id: number }).id,
    topics: describe(wanted, context),
  }),
});

function describe(wanted: ReadOf<typeof request>, context: RequestContext): readonly TopicResponse[] {
  // An empty list is "all" in v0 only; later null is.
  const all = wanted.topics === null || (context.version === 0 && wanted.topics.length === 0);
  if (!all) {
    return (wanted.topics ?? []).map((one) => describeOne(one, wanted.allowAutoTopicCreation, context));
  }
  return context.state.topics.all().map((topic) => {
    const injected = context.faults.errorFor(topic.name);
    return injected === undefined ? found(topic) : missing(topic.name, topic.id, injected);
  });
}

function describeOne(wanted: WantedTopic, mayCreate: boolean, context: RequestContext): TopicResponse {
  const { topics, autoCreatePartitions } = context.state;
  const topic = wanted.name === null ? topics.getById(wanted.topicId) : topics.get(wanted.name);
  const injected = context.faults.errorFor(topic?.name ?? wanted.name ?? undefined);
  if (injected !== undefined) return missing(wanted.name, wanted.topicId, injected);
  if (topic !== undefined) return found(topic);
  if (wanted.name === null) return missing(null, wanted.topicId, KAFKA_ERROR.UNKNOWN_TOPIC_ID);
  if (mayCreate && autoCreatePartitions > 0) {
    const created = topics.create(wanted.name, autoCreatePartitions);
    return created.ok ? found(created.topic) : missing(wanted.name, ZERO_UUID, created.errorCode);
  }
  const refusal = topics.refusal(wanted.name, 1);
  return missing(wanted.name, ZERO_UUID, refusal?.errorCode ?? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
}

function missing(name: string | null, topicId: string, errorCode: KafkaErrorNumber): TopicResponse {
  return { errorCode, name, topicId, partitions: [] };
}

function found(topic: Topic): TopicResponse {
  return {
    errorCode: KAFKA_ERROR.NONE,
    name: topic.name,
    topicId: topic.id,
    partitions: topic.partitions.map(({ leaderId, log }, partition) => {
      const nodes = leaderId === NO_LEADER ? [] : [leaderId];
      return {
        errorCode: nodes.length === 0 ? KAFKA_ERROR.LEADER_NOT_AVAILABLE : KAFKA_ERROR.NONE,
        partition,
        leaderId,
        leaderEpoch: log.leaderEpoch,
        replicaNodes: nodes,
        isrNodes: nodes,
      };
    }),
  };
}
