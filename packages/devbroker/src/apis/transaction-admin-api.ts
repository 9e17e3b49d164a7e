import { KAFKA_ERROR } from '@millrace/kafka';
import { coordinatorOf } from '../broker-state.ts';
import { defineApi, type RequestContext } from '../protocol/api.ts';
import {
  array,
  int16,
  int32,
  int64,
  nullableString,
  since,
  string,
  struct,
  withDefault,
} from '../protocol/schema.ts';
import { TRANSACTION_STATUSES, type TransactionalId } from '../transactions/transactional-id.ts';
import { ledPartition } from './leader-check.ts';
import { partitionsOf } from './topic-partitions.ts';
import { coordinatorProblem } from './transaction-api.ts';

export const listTransactionsApi = defineApi({
  name: 'ListTransactions',
  minVersion: 0,
  maxVersion: 1,
  flexibleFrom: 0,
  request: struct({
    stateFilters: array(string),
    producerIdFilters: array(int64),
    durationFilterMs: since(1, int64, -1),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    errorCode: int16,
    unknownStateFilters: withDefault(array(string), []),
    transactions: array(struct({ transactionalId: string, producerId: int64, status: string })),
  }),
  handle({ stateFilters, producerIdFilters, durationFilterMs }, { state, faults, nodeId }) {
    const now = state.clock.now();
    const unknownStateFilters = stateFilters.filter((name) => !TRANSACTION_STATUSES.has(name));
    const wanted = ({ id, identity, status, startedAt }: TransactionalId) =>
      // Clients ask every node and join the answers.
      coordinatorOf(state, id).id === nodeId &&
      (stateFilters.length === 0 || stateFilters.includes(status)) &&
      (producerIdFilters.length === 0 || producerIdFilters.includes(identity.producerId)) &&
      (durationFilterMs < 0 || (status === 'Ongoing' && now - startedAt > durationFilterMs));
    return {
      errorCode: faults.errorFor() ?? KAFKA_ERROR.NONE,
      unknownStateFilters,
      transactions: state.transactions
        .all()
        .filter(wanted)
        .map(({ id, identity, status }) => ({
          transactionalId: id,
          producerId: identity.producerId,
          status,
        })),
    };
  },
});

const described = struct({
  errorCode: int16,
  transactionalId: string,
  status: withDefault(string, ''),
  timeoutMs: withDefault(int32, -1),
  startTimeMs: withDefault(int64, -1),
  producerId: withDefault(int64, -1),
  producerEpoch: withDefault(int16, -1),
  topics: withDefault(array(struct({ topic: string, partitions: array(int32) })), []),
});

export const describeTransactionsApi = defineApi({
  name: 'DescribeTransactions',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  request: struct({ transactionalIds: array(string) }),
  response: struct({ throttleTimeMs: withDefault(int32, 0), transactions: array(described) }),
  handle: ({ transactionalIds }, context) => ({
    transactions: transactionalIds.map((id) => describe(context, id)),
  }),
});

function describe(context: RequestContext, transactionalId: string) {
  const problem = coordinatorProblem(context, transactionalId);
  const found = context.state.transactions.get(transactionalId);
  if (problem !== undefined || found === undefined) {
    return { errorCode: problem ?? KAFKA_ERROR.TRANSACTIONAL_ID_NOT_FOUND, transactionalId };
  }
  const byTopic = Map.groupBy(found.partitions, ({ topic }) => topic);
  return {
    errorCode: KAFKA_ERROR.NONE,
    transactionalId,
    status: found.status,
    timeoutMs: found.timeoutMs,
    startTimeMs: found.status === 'Ongoing' ? found.startedAt : -1,
    ...found.identity,
    topics: [...byTopic].map(([topic, tps]) => ({
      topic,
      partitions: tps.map(({ partition }) => partition),
    })),
  };
}

const activeProducer = struct({
  producerId: int64,
  producerEpoch: int32,
  lastSequence: int32,
  lastTimestamp: int64,
  coordinatorEpoch: int32,
  openSince: int64,
});

export const describeProducersApi = defineApi({
  name: 'DescribeProducers',
  minVersion: 0,
  maxVersion: 0,
  flexibleFrom: 0,
  request: struct({ topics: array(struct({ name: string, partitions: array(int32) })) }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(
      struct({
        name: string,
        partitions: array(
          struct({
            index: int32,
            errorCode: int16,
            errorMessage: withDefault(nullableString, null),
            producers: withDefault(array(activeProducer), []),
          }),
        ),
      }),
    ),
  }),
  targets: ({ topics }) => partitionsOf(topics),
  handle: ({ topics }, context) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((index) => {
        const led = ledPartition(context, name, index, -1);
        if (!led.ok) return { index, errorCode: led.errorCode };
        const producers = led.partition.log.activeProducers().map((producer) => ({
          producerId: producer.id,
          producerEpoch: producer.epoch,
          lastSequence: producer.lastSequence,
          lastTimestamp: producer.lastTimestamp,
          coordinatorEpoch: 0,
          openSince: producer.openSince,
        }));
        return { index, errorCode: KAFKA_ERROR.NONE, producers };
      }),
    })),
  }),
});
