import { API_KEY } from '../wire/api-key.ts';
import type { KafkaApi } from './kafka-api.ts';
import { decodeTopics } from './topic-array.ts';

/** One batch to one partition. */
export interface ProduceRequest {
  readonly transactionalId?: string;
  readonly topic: string;
  readonly partition: number;
  readonly acks: -1 | 0 | 1;
  readonly timeoutMs: number;
  readonly batch: Buffer;
}

export interface ProduceResponse {
  readonly error: number;
  readonly message: string;
  readonly baseOffset: number;
}

export const PRODUCE: KafkaApi<ProduceRequest, ProduceResponse> = {
  name: 'Produce',
  key: API_KEY.Produce,
  versions: [3, 8],
  flexibleFrom: 9,
  throttle: 'last',
  expectsResponse: ({ acks }) => acks !== 0,
  encode(w, { transactionalId = null, topic, partition, acks, timeoutMs, batch }) {
    w.nullableString(transactionalId).int16(acks).int32(timeoutMs);
    w.array([0], () => w.string(topic).array([0], () => w.int32(partition).int32(batch.length)));
  },
  tail: ({ batch }) => batch,
  decode(r, version) {
    const [response] = decodeTopics(r, false, () => {
      r.int32(); // partition
      const error = r.int16();
      const baseOffset = r.int64();
      r.int64(); // log-append time
      if (version >= 5) r.int64(); // log start offset
      const details: string[] = [];
      if (version >= 8) {
        r.array(() => {
          r.int32(); // index of the record in the batch
          details.push(r.nullableString() ?? '');
        });
        details.unshift(r.nullableString() ?? '');
      }
      return { error, baseOffset, message: details.filter((text) => text !== '').join('; ') };
    });
    return response ?? { error: -1, baseOffset: -1, message: 'the response names no partition' };
  },
};
