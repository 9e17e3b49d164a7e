import { API_KEY } from '../wire/api-key.ts';
import type { KafkaApi } from './kafka-api.ts';

export interface ProducerIdResponse {
  readonly error: number;
  readonly id: bigint;
  readonly epoch: number;
}

/** A new id for an idempotent producer that is not transactional. */
export const INIT_PRODUCER_ID: KafkaApi<null, ProducerIdResponse> = {
  name: 'InitProducerId',
  key: API_KEY.InitProducerId,
  versions: [0, 1],
  flexibleFrom: 2,
  // No transactional id; the time-out of transactions, of which there are none, as Java's producer gives it.
  encode: (w) => w.nullableString(null).int32(0x7fffffff),
  decode(r) {
    r.int32(); // throttle time
    return { error: r.int16(), id: r.bigint64(), epoch: r.int16() };
  },
};
