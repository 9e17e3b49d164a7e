import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import type { RequestContext } from '../protocol/api.ts';
import { defineApi } from '../protocol/api.ts';
import {
  array,
  boolean,
  int8,
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
  uuid,
  withDefault,
  ZERO_UUID,
} from '../protocol/schema.ts';
import { ledPartition } from './leader-check.ts';
import { partitionsOf } from './topic-partitions.ts';

interface Outcome {
  readonly errorCode: KafkaErrorNumber;
  readonly errorMessage?: string | null;
}

const DONE: Outcome = { errorCode: KAFKA_ERROR.NONE, errorMessage: null };

function refused(errorCode: KafkaErrorNumber, errorMessage: string): Outcome {
  return { errorCode, errorMessage };
}

const newTopic = struct({
  name: string,
  numPartitions: int32,
  replicationFactor: int16,
  assignments: array(struct({ partition: int32, brokerIds: array(int32) })),
  configs: array(struct({ name: string, value: nullableString })),
});

export const createTopicsApi = defineApi({
  name: 'CreateTopics',
  minVersion: 2,
  maxVersion: 7,
  flexibleFrom: 5,
  request: struct({ topics: array(newTopic), timeoutMs: int32, validateOnly: boolean }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(
      struct({
        name: string,
        topicId: since(7, uuid, ZERO_UUID),
        errorCode: int16,
        errorMessage: withDefault(nullableString, null),
        numPartitions: since(5, int32, -1),
        replicationFactor: since(5, int16, -1),
        configs: since(
          5,
          nullableArray(
            struct({
              name: string,
              value: nullableString,
              readOnly: boolean,
              configSource: int8,
              isSensitive: boolean,
            }),
          ),
          [],
        ),
      }),
    ),
  }),
  targets: ({ topics }) => topics.map(({ name }) => ({ topic: name })),
  handle: ({ topics, validateOnly }, context) => ({
    topics: topics.map((topic) => ({ name: topic.name, ...create(topic, validateOnly, context) })),
  }),
});

function create(wanted: ReadOf<typeof newTopic>, validateOnly: boolean, { state, faults }: RequestContext) {
  const injected = faults.errorFor(wanted.name);
  if (injected !== undefined) return refused(injected, 'injected fault');
  if (wanted.replicationFactor > 1) {
    return refused(
      KAFKA_ERROR.INVALID_REPLICATION_FACTOR,
      `the embedded broker keeps one replica, not ${wanted.replicationFactor}`,
    );
  }
  const asked = wanted.assignments.length > 0 ? wanted.assignments.length : wanted.numPartitions;
  const partitions = asked === -1 ? state.defaultPartitions : asked;
  const refusal = state.topics.refusal(wanted.name, partitions);
  if (refusal !== undefined) return refused(refusal.errorCode, refusal.message);
  const described = { ...DONE, numPartitions: partitions, replicationFactor: 1 };
  if (validateOnly) return described;
  const created = state.topics.create(wanted.name, partitions);
  if (!created.ok) return refused(created.errorCode, created.message);
  for (const { name, value } of wanted.configs) if (value !== null) created.topic.configs.set(name, value);
  return { ...described, topicId: created.topic.id };
}

export const deleteTopicsApi = defineApi({
  name: 'DeleteTopics',
  minVersion: 1,
  maxVersion: 6,
  flexibleFrom: 4,
  request: struct({
    topics: since(6, array(struct({ name: nullableString, topicId: uuid })), []),
    topicNames: upTo(5, array(string), []),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    responses: array(
      struct({
        name: nullableString,
        topicId: since(6, uuid, ZERO_UUID),
        errorCode: int16,
        errorMessage: since(5, nullableString, null),
      }),
    ),
  }),
  targets: ({ topicNames, topics }) =>
    [...topicNames, ...topics.map(({ name }) => name ?? '')].map((topic) => ({ topic })),
  handle({ topics, topicNames }, { state, faults }) {
    const wanted = [...topics, ...topicNames.map((name) => ({ name, topicId: ZERO_UUID }))];
    return {
      responses: wanted.map(({ name, topicId }) => {
        const topic = name === null ? state.topics.getById(topicId) : state.topics.get(name);
        const injected = faults.errorFor(topic?.name ?? name ?? undefined);
        if (injected !== undefined) return { name, topicId, errorCode: injected };
        if (topic === undefined) {
          const errorCode =
            name === null ? KAFKA_ERROR.UNKNOWN_TOPIC_ID : KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION;
          return { name, topicId, errorCode };
        }
        state.topics.delete(topic.name);
        state.groups.forgetTopic(topic.name);
        return { name: topic.name, topicId: topic.id, errorCode: KAFKA_ERROR.NONE };
      }),
    };
  },
});

export const createPartitionsApi = defineApi({
  name: 'CreatePartitions',
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: 2,
  request: struct({
    topics: array(
      struct({
        name: string,
        count: int32,
        assignments: nullableArray(struct({ brokerIds: array(int32) })),
      }),
    ),
    timeoutMs: int32,
    validateOnly: boolean,
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    results: array(
      struct({ name: string, errorCode: int16, errorMessage: withDefault(nullableString, null) }),
    ),
  }),
  targets: ({ topics }) => topics.map(({ name }) => ({ topic: name })),
  handle: ({ topics, validateOnly }, { state, faults }) => ({
    results: topics.map(({ name, count }) => {
      const injected = faults.errorFor(name);
      if (injected !== undefined) return { name, ...refused(injected, 'injected fault') };
      const topic = state.topics.get(name);
      if (topic === undefined) {
        return { name, ...refused(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION, `there is no topic ${name}`) };
      }
      const refusal = state.topics.growthRefusal(topic, count);
      if (refusal !== undefined) return { name, ...refused(refusal.errorCode, refusal.message) };
      if (!validateOnly) topic.grow(count);
      return { name, ...DONE };
    }),
  }),
});

export const deleteRecordsApi = defineApi({
  name: 'DeleteRecords',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, offset: int64 })) })),
    timeoutMs: int32,
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(struct({ index: int32, lowWatermark: int64, errorCode: int16 })),
      }),
    ),
  }),
  targets: ({ topics }) => partitionsOf(topics),
  handle: ({ topics }, context) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index, offset }) => ({
        index,
        ...deleteRecords(context, name, index, offset),
      })),
    })),
  }),
});

function deleteRecords(context: RequestContext, topic: string, index: number, offset: number) {
  const led = ledPartition(context, topic, index, -1);
  if (!led.ok) return { lowWatermark: -1, errorCode: led.errorCode };
  const { log } = led.partition;
  // −1 is "up to the high watermark".
  const before = offset === -1 ? log.logEndOffset : offset;
  if (before < 0 || before > log.logEndOffset) {
    return { lowWatermark: -1, errorCode: KAFKA_ERROR.OFFSET_OUT_OF_RANGE };
  }
  log.deleteRecordsBefore(before);
  return { lowWatermark: log.logStartOffset, errorCode: KAFKA_ERROR.NONE };
}
