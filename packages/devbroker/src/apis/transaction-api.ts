import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import { coordinatorOf } from '../broker-state.ts';
import { defineApi, type RequestContext } from '../protocol/api.ts';
import {
  array,
  boolean,
  int16,
  int32,
  int64,
  nullableString,
  type ReadOf,
  since,
  string,
  struct,
  withDefault,
} from '../protocol/schema.ts';
import { offsetProblem } from './group-offsets-api.ts';
import { partitionsOf } from './topic-partitions.ts';

/** Clients before KIP-588 know fencing by another number. */
export function fencedAs(errorCode: KafkaErrorNumber, version: number, newSince: number): KafkaErrorNumber {
  return errorCode === KAFKA_ERROR.PRODUCER_FENCED && version < newSince
    ? KAFKA_ERROR.INVALID_PRODUCER_EPOCH
    : errorCode;
}

/** An injected fault, or that another node coordinates this transactional id or group. */
export function coordinatorProblem(
  { state, faults, nodeId }: RequestContext,
  key: string,
): KafkaErrorNumber | undefined {
  const injected = faults.errorFor();
  if (injected !== undefined) return injected;
  return coordinatorOf(state, key).id === nodeId ? undefined : KAFKA_ERROR.NOT_COORDINATOR;
}

const producerFields = { transactionalId: string, producerId: int64, producerEpoch: int16 };

export const addPartitionsToTxnApi = defineApi({
  name: 'AddPartitionsToTxn',
  minVersion: 0,
  // v4 is for brokers (KIP-890).
  maxVersion: 3,
  flexibleFrom: 3,
  request: struct({
    ...producerFields,
    topics: array(struct({ name: string, partitions: array(int32) })),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
  }),
  targets: ({ topics }) => partitionsOf(topics),
  handle({ transactionalId, topics, ...by }, context) {
    const { state, faults, version } = context;
    const partitions = partitionsOf(topics);
    const problems = partitions.map(
      (tp) =>
        faults.errorFor(tp.topic, tp.partition) ??
        (state.topics.partition(tp) === undefined ? KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION : undefined),
    );
    const refused = problems.some((problem) => problem !== undefined);
    const whole =
      coordinatorProblem(context, transactionalId) ??
      (refused ? undefined : state.transactions.add(transactionalId, by, { partitions }));
    // All of them are added, or none.
    const rest = whole === undefined ? KAFKA_ERROR.OPERATION_NOT_ATTEMPTED : fencedAs(whole, version, 2);
    let at = 0;
    return {
      topics: topics.map(({ name, partitions: indexes }) => ({
        name,
        partitions: indexes.map((index) => ({ index, errorCode: problems[at++] ?? rest })),
      })),
    };
  },
});

export const addOffsetsToTxnApi = defineApi({
  name: 'AddOffsetsToTxn',
  minVersion: 0,
  maxVersion: 3,
  flexibleFrom: 3,
  request: struct({ ...producerFields, groupId: string }),
  response: struct({ throttleTimeMs: withDefault(int32, 0), errorCode: int16 }),
  handle({ transactionalId, groupId, ...by }, context) {
    if (groupId === '') return { errorCode: KAFKA_ERROR.INVALID_GROUP_ID };
    const errorCode =
      coordinatorProblem(context, transactionalId) ??
      context.state.transactions.add(transactionalId, by, { groupId });
    return { errorCode: fencedAs(errorCode, context.version, 2) };
  },
});

export const endTxnApi = defineApi({
  name: 'EndTxn',
  minVersion: 0,
  // v5 is the second protocol of KIP-890, which is not here.
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({ ...producerFields, committed: boolean }),
  response: struct({ throttleTimeMs: withDefault(int32, 0), errorCode: int16 }),
  handle({ transactionalId, committed, ...by }, context) {
    const errorCode =
      coordinatorProblem(context, transactionalId) ??
      context.state.transactions.end(transactionalId, by, committed);
    return { errorCode: fencedAs(errorCode, context.version, 2) };
  },
});

const pendingOffset = struct({
  index: int32,
  offset: int64,
  leaderEpoch: since(2, int32, -1),
  metadata: nullableString,
});

export const txnOffsetCommitApi = defineApi({
  name: 'TxnOffsetCommit',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,
    generationId: since(3, int32, -1),
    memberId: since(3, string, ''),
    groupInstanceId: since(3, nullableString, null),
    topics: array(struct({ name: string, partitions: array(pendingOffset) })),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(struct({ name: string, partitions: array(struct({ index: int32, errorCode: int16 })) })),
  }),
  targets: ({ topics }) => partitionsOf(topics),
  handle(request, context) {
    const whole = txnCommitProblem(request, context);
    return {
      topics: request.topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => ({
          index: partition.index,
          errorCode:
            context.faults.errorFor(name, partition.index) ??
            whole ??
            setPending(context, request, name, partition),
        })),
      })),
    };
  },
});

interface TxnCommit {
  readonly transactionalId: string;
  readonly groupId: string;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly generationId: number;
  readonly memberId: string;
}

function txnCommitProblem(
  { transactionalId, groupId, generationId, memberId, ...by }: TxnCommit,
  context: RequestContext,
): KafkaErrorNumber | undefined {
  if (groupId === '') return KAFKA_ERROR.INVALID_GROUP_ID;
  if (coordinatorOf(context.state, groupId).id !== context.nodeId) return KAFKA_ERROR.NOT_COORDINATOR;
  const { groups, transactions } = context.state;
  // Without a member (before KIP-447, and by simple consumers) the transaction alone protects the offsets.
  const member =
    memberId === '' && generationId < 0
      ? KAFKA_ERROR.NONE
      : groups.checkCommit(groupId, memberId, generationId);
  if (member !== KAFKA_ERROR.NONE) return member;
  const problem = transactions.verify(transactionalId, by, { groupId });
  // The group's coordinator knows producers by their epochs only, as the leader of any partition.
  if (problem === KAFKA_ERROR.PRODUCER_FENCED) return KAFKA_ERROR.INVALID_PRODUCER_EPOCH;
  return problem === KAFKA_ERROR.NONE ? undefined : problem;
}

function setPending(
  { state }: RequestContext,
  { groupId, producerId }: TxnCommit,
  topic: string,
  committing: ReadOf<typeof pendingOffset>,
): KafkaErrorNumber {
  const { index, offset, leaderEpoch, metadata } = committing;
  const problem = offsetProblem(state, { topic, partition: index }, metadata);
  if (problem !== KAFKA_ERROR.NONE) return problem;
  const { offsets } = state.groups.getOrCreate(groupId);
  offsets.setPending(producerId, topic, index, { offset, leaderEpoch, metadata });
  return KAFKA_ERROR.NONE;
}
