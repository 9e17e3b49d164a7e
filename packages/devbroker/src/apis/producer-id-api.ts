import { KAFKA_ERROR } from '@millrace/kafka';
import { defineApi } from '../protocol/api.ts';
import { int16, int32, int64, nullableString, since, struct, withDefault } from '../protocol/schema.ts';
import { coordinatorProblem, fencedAs } from './transaction-api.ts';

/** Ids for idempotent producers and epochs for transactional ones. */
export const initProducerIdApi = defineApi({
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 2,
  request: struct({
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: since(3, int64, -1),
    producerEpoch: since(3, int16, -1),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    errorCode: int16,
    producerId: withDefault(int64, -1),
    producerEpoch: withDefault(int16, -1),
  }),
  handle({ transactionalId, transactionTimeoutMs, producerId, producerEpoch }, context) {
    const { state, faults, version } = context;
    if (transactionalId === null) {
      const injected = faults.errorFor();
      if (injected !== undefined) return { errorCode: injected };
      return { errorCode: KAFKA_ERROR.NONE, producerId: state.nextProducerId(), producerEpoch: 0 };
    }
    const problem = coordinatorProblem(context, transactionalId);
    if (problem !== undefined) return { errorCode: problem };
    const expected = producerId < 0 ? undefined : { producerId, producerEpoch };
    const result = state.transactions.init(transactionalId, transactionTimeoutMs, expected);
    return { ...result, errorCode: fencedAs(result.errorCode, version, 4) };
  },
});
