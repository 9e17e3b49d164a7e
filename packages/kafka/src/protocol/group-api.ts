import type { TopicPartition } from '../topic-partition.ts';
import { API_KEY } from '../wire/api-key.ts';
import type { KafkaApi } from './kafka-api.ts';
import { byTopic, decodeTopics, encodeTopics } from './topic-array.ts';

export interface Coordinator {
  readonly error: number;
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

export type CoordinatorType = 'group' | 'transaction';

/** The coordinator of a consumer group or of a transactional id. */
export const FIND_COORDINATOR: KafkaApi<
  { readonly type: CoordinatorType; readonly key: string },
  Coordinator
> = {
  name: 'FindCoordinator',
  key: API_KEY.FindCoordinator,
  versions: [1, 2],
  flexibleFrom: 3,
  encode: (w, { type, key }) => w.string(key).int8(type === 'group' ? 0 : 1),
  decode(r) {
    r.int32(); // throttle time
    const error = r.int16();
    r.nullableString(); // error message
    return { error, nodeId: r.int32(), host: r.nullableString() ?? '', port: r.int32() };
  },
};

export interface OffsetFetchRequest {
  readonly groupId: string;
  readonly partitions: readonly TopicPartition[];
}

export interface OffsetFetchResponse {
  readonly error: number;
  readonly partitions: ReadonlyArray<
    TopicPartition & { readonly error: number; readonly offset: number; readonly metadata: string }
  >;
}

export const OFFSET_FETCH: KafkaApi<OffsetFetchRequest, OffsetFetchResponse> = {
  name: 'OffsetFetch',
  key: API_KEY.OffsetFetch,
  versions: [3, 7],
  flexibleFrom: 6,
  encode(w, { groupId, partitions }, version) {
    const topics = byTopic(partitions);
    if (version < 6) {
      w.string(groupId);
      encodeTopics(w, topics, false, (tp) => w.int32(tp.partition));
      return;
    }
    w.compactString(groupId);
    w.compactArray(topics, ([topic, of]) => {
      w.compactString(topic)
        .compactArray(of, (tp) => w.int32(tp.partition))
        .taggedFields();
    });
    // Require stable: offsets of an open transaction are waited for, not passed over (KIP-447).
    if (version >= 7) w.boolean(true);
    w.taggedFields();
  },
  decode(r, version) {
    const flexible = version >= 6;
    r.int32(); // throttle time
    const partitions = decodeTopics(r, flexible, (topic) => {
      const partition = r.int32();
      const offset = r.int64();
      if (version >= 5) r.int32(); // leader epoch
      const metadata = (flexible ? r.compactNullableString() : r.nullableString()) ?? '';
      return { topic, partition, offset, metadata, error: r.int16() };
    });
    return { partitions, error: r.int16() };
  },
};

/** The same for who must not see an offset that an open transaction may still change: brokers before 2.5 cannot tell. */
export const STABLE_OFFSET_FETCH: typeof OFFSET_FETCH = { ...OFFSET_FETCH, versions: [7, 7] };

export interface OffsetCommitRequest {
  readonly groupId: string;
  readonly offsets: ReadonlyArray<TopicPartition & { readonly offset: number; readonly metadata?: string }>;
}

/** A commit by no member: generation −1 (a "simple consumer"). Refused while the group has members. */
export const OFFSET_COMMIT: KafkaApi<
  OffsetCommitRequest,
  ReadonlyArray<TopicPartition & { readonly error: number }>
> = {
  name: 'OffsetCommit',
  key: API_KEY.OffsetCommit,
  versions: [3, 7],
  flexibleFrom: 8,
  encode(w, { groupId, offsets }, version) {
    w.string(groupId).int32(-1).string('');
    if (version >= 7) w.nullableString(null); // group instance id
    if (version <= 4) w.int64(-1); // retention: the broker's
    encodeTopics(w, byTopic(offsets), false, ({ partition, offset, metadata }) => {
      w.int32(partition).int64(offset);
      if (version >= 6) w.int32(-1);
      w.nullableString(metadata ?? '');
    });
  },
  decode(r) {
    r.int32(); // throttle time
    return decodeTopics(r, false, (topic) => ({ topic, partition: r.int32(), error: r.int16() }));
  },
};
