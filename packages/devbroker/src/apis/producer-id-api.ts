import { KAFKA_ERROR } from '@millrace/kafka';
import { defineApi } from '../protocol/api.ts';
import { int16, int32, int64, nullableString, since, struct, withDefault } from '../protocol/schema.ts';

/** Ids for idempotent producers. A transactional id is refused with an error that clients do not retry. */
export const initProducerIdApi = defineApi({
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 4,
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
  handle({ transactionalId }, { state, faults }) {
    const injected = faults.errorFor();
    if (injected !== undefined) return { errorCode: injected };
    if (transactionalId !== null) {
      state.logger.warn(
        { transactionalId },
        'the embedded broker has no transactions: use a real Apache Kafka for a transactional producer',
      );
      return { errorCode: KAFKA_ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED };
    }
    return { errorCode: KAFKA_ERROR.NONE, producerId: state.nextProducerId(), producerEpoch: 0 };
  },
});
