import { API_KEY } from '../wire/api-key.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import type { KafkaApi } from './kafka-api.ts';

export interface TopicResult {
  readonly topic: string;
  readonly error: number;
  readonly message: string;
}

function result(r: WireReader, withMessage: boolean): TopicResult {
  return { topic: r.string(), error: r.int16(), message: withMessage ? (r.nullableString() ?? '') : '' };
}

export interface CreateTopicRequest {
  readonly topic: string;
  readonly partitions: number;
  /** −1: the broker's default (v4 and later). */
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export const CREATE_TOPICS: KafkaApi<CreateTopicRequest, readonly TopicResult[]> = {
  name: 'CreateTopics',
  key: API_KEY.CreateTopics,
  versions: [2, 4],
  flexibleFrom: 5,
  encode(w, { topic, partitions, replicationFactor, config, timeoutMs }) {
    w.array([0], () => {
      w.string(topic).int32(partitions).int16(replicationFactor).int32(0); // no manual assignments
      w.array(Object.entries(config), ([name, value]) => w.string(name).nullableString(value));
    });
    w.int32(timeoutMs).boolean(false);
  },
  decode(r) {
    r.int32(); // throttle time
    return r.array(() => result(r, true));
  },
};

export interface DeleteTopicRequest {
  readonly topic: string;
  readonly timeoutMs: number;
}

export const DELETE_TOPICS: KafkaApi<DeleteTopicRequest, readonly TopicResult[]> = {
  name: 'DeleteTopics',
  key: API_KEY.DeleteTopics,
  versions: [1, 3],
  flexibleFrom: 4,
  encode: (w, { topic, timeoutMs }) => w.array([topic], (name) => w.string(name)).int32(timeoutMs),
  decode(r) {
    r.int32(); // throttle time
    return r.array(() => result(r, false));
  },
};

export interface CreatePartitionsRequest {
  readonly topic: string;
  readonly totalCount: number;
  readonly timeoutMs: number;
}

export const CREATE_PARTITIONS: KafkaApi<CreatePartitionsRequest, readonly TopicResult[]> = {
  name: 'CreatePartitions',
  key: API_KEY.CreatePartitions,
  versions: [0, 1],
  flexibleFrom: 2,
  encode(w, { topic, totalCount, timeoutMs }) {
    w.array([0], () => w.string(topic).int32(totalCount).int32(-1)); // no manual assignments
    w.int32(timeoutMs).boolean(false);
  },
  decode(r) {
    r.int32(); // throttle time
    return r.array(() => result(r, true));
  },
};
