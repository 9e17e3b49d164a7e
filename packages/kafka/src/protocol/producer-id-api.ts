import { API_KEY } from '../wire/api-key.ts';
import type { KafkaApi } from './kafka-api.ts';

export interface ProducerIdResponse {
  readonly error: number;
  readonly id: bigint;
  readonly epoch: number;
}

export interface ProducerIdRequest {
  readonly transactionalId: string;
  /** After so many ms the coordinator aborts a transaction. */
  readonly transactionTimeoutMs: number;
}

// As Java's producer gives it where there are no transactions.
const NO_TIMEOUT_MS = 0x7fffffff;

/**
 * The next epoch of a transactional id, which fences its producers so far; null: a new id for an idempotent producer that is not
 * transactional. A producer never asks to go on under its old identity (KIP-360): that fails when its transaction was ended by time.
 */
export const INIT_PRODUCER_ID: KafkaApi<ProducerIdRequest | null, ProducerIdResponse> = {
  name: 'InitProducerId',
  key: API_KEY.InitProducerId,
  versions: [0, 5],
  flexibleFrom: 2,
  encode(w, request, version) {
    const transactionalId = request?.transactionalId ?? null;
    if (version >= 2) w.compactNullableString(transactionalId);
    else w.nullableString(transactionalId);
    w.int32(request?.transactionTimeoutMs ?? NO_TIMEOUT_MS);
    if (version >= 3) w.bigint64(-1n).int16(-1);
    if (version >= 2) w.taggedFields();
  },
  decode(r) {
    r.int32(); // throttle time
    return { error: r.int16(), id: r.bigint64(), epoch: r.int16() };
  },
};
