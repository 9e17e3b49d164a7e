import { KAFKA_ERROR, type KafkaErrorNumber, type TopicPartition } from '@millrace/kafka';
import type { RequestContext } from '../protocol/api.ts';
import { defineApi } from '../protocol/api.ts';
import {
  array,
  int16,
  int32,
  int64,
  nullableBytes,
  nullableString,
  since,
  string,
  struct,
  withDefault,
} from '../protocol/schema.ts';
import { checkProducedBatch, type RecordBatchHeader } from '../storage/produced-batch.ts';
import { DEFAULT_MAX_MESSAGE_BYTES } from '../storage/topic.ts';
import { partitionsOf } from './topic-partitions.ts';

const request = struct({
  transactionalId: nullableString,
  acks: int16,
  timeoutMs: int32,
  topics: array(
    struct({ name: string, partitions: array(struct({ index: int32, records: nullableBytes })) }),
  ),
});

const response = struct({
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          index: int32,
          errorCode: int16,
          baseOffset: int64,
          logAppendTimeMs: withDefault(int64, -1),
          logStartOffset: since(5, int64, -1),
          recordErrors: since(
            8,
            array(struct({ batchIndex: int32, batchIndexErrorMessage: nullableString })),
            [],
          ),
          errorMessage: since(8, nullableString, null),
        }),
      ),
    }),
  ),
  throttleTimeMs: withDefault(int32, 0),
});

interface PartitionAnswer {
  readonly index: number;
  readonly errorCode: KafkaErrorNumber;
  readonly baseOffset: number;
  readonly logStartOffset?: number;
  readonly errorMessage?: string | null;
}

export const produceApi = defineApi({
  name: 'Produce',
  minVersion: 3,
  maxVersion: 9,
  flexibleFrom: 9,
  request,
  response,
  targets: ({ topics }) => partitionsOf(topics),
  handle({ transactionalId, acks, topics }, context) {
    const whole =
      acks < -1 || acks > 1 || (transactionalId !== null && acks !== -1)
        ? refused(KAFKA_ERROR.INVALID_REQUIRED_ACKS, `acks ${acks} is not possible`)
        : undefined;
    const answer = {
      throttleTimeMs: context.faults.throttleMs,
      topics: topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.map(({ index, records }) => ({
          index,
          ...(whole ?? append(context, transactionalId, name, index, records)),
        })),
      })),
    };
    return acks === 0 ? undefined : answer;
  },
});

function refused(
  errorCode: KafkaErrorNumber,
  errorMessage: string | null = null,
): Omit<PartitionAnswer, 'index'> {
  return { errorCode, baseOffset: -1, errorMessage };
}

function append(
  context: RequestContext,
  transactionalId: string | null,
  topicName: string,
  index: number,
  records: Buffer | null,
): Omit<PartitionAnswer, 'index'> {
  const injected = context.faults.errorFor(topicName, index);
  if (injected !== undefined) return refused(injected, 'injected fault');
  const topic = context.state.topics.get(topicName);
  const partition = topic?.partitions[index];
  if (topic === undefined || partition === undefined) return refused(KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION);
  if (partition.leaderId !== context.nodeId) return refused(KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER);
  if (records === null || records.length === 0) {
    return refused(KAFKA_ERROR.INVALID_RECORD, 'no record batch was sent');
  }
  const bytesMax = Number(topic.configs.get('max.message.bytes') ?? DEFAULT_MAX_MESSAGE_BYTES);
  if (records.length > bytesMax) {
    return refused(
      KAFKA_ERROR.MESSAGE_TOO_LARGE,
      `a batch of ${records.length} bytes is over max.message.bytes = ${bytesMax}`,
    );
  }
  const batch = checkProducedBatch(records);
  if (!batch.ok) return refused(batch.errorCode, batch.message);
  if (batch.header.transactional) {
    const problem = transactionProblem(
      context,
      transactionalId,
      { topic: topicName, partition: index },
      batch.header,
    );
    if (problem !== KAFKA_ERROR.NONE) return refused(problem, 'not part of an open transaction');
  }
  const result = partition.log.append(records, batch.header);
  if (!result.ok) return refused(result.errorCode);
  return {
    errorCode: KAFKA_ERROR.NONE,
    baseOffset: result.baseOffset,
    logStartOffset: partition.log.logStartOffset,
  };
}

function transactionProblem(
  { state }: RequestContext,
  transactionalId: string | null,
  tp: TopicPartition,
  by: RecordBatchHeader,
): KafkaErrorNumber {
  if (transactionalId === null) return KAFKA_ERROR.INVALID_TXN_STATE;
  const problem = state.transactions.verify(transactionalId, by, tp);
  // A leader knows producers by their epochs only.
  return problem === KAFKA_ERROR.PRODUCER_FENCED ? KAFKA_ERROR.INVALID_PRODUCER_EPOCH : problem;
}
