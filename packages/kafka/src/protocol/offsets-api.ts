import type { TopicPartition } from '../topic-partition.ts';
import { API_KEY } from '../wire/api-key.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import type { KafkaApi } from './kafka-api.ts';
import { byTopic, decodeTopics, encodeTopics } from './topic-array.ts';

export interface ListOffsetsRequest {
  readonly committedOnly: boolean;
  /** −2 earliest, −1 latest, else ms. */
  readonly timestamp: number;
  readonly partitions: ReadonlyArray<TopicPartition & { readonly leaderEpoch: number }>;
}

export interface ListedPartition extends TopicPartition {
  readonly error: number;
  readonly timestamp: number;
  /** −1: no record at or after the timestamp. */
  readonly offset: number;
  readonly leaderEpoch: number;
}

export const TIMESTAMP_EARLIEST = -2;
export const TIMESTAMP_LATEST = -1;

export const LIST_OFFSETS: KafkaApi<ListOffsetsRequest, readonly ListedPartition[]> = {
  name: 'ListOffsets',
  key: API_KEY.ListOffsets,
  versions: [2, 6],
  flexibleFrom: 6,
  encode(w, request, version) {
    w.int32(-1).int8(request.committedOnly ? 1 : 0);
    encodeTopics(w, byTopic(request.partitions), version >= 6, ({ partition, leaderEpoch }) => {
      w.int32(partition);
      if (version >= 4) w.int32(leaderEpoch);
      w.int64(request.timestamp);
    });
    if (version >= 6) w.taggedFields();
  },
  decode(r, version) {
    r.int32(); // throttle time
    return decodeTopics(r, version >= 6, (topic) => {
      const partition = r.int32();
      const error = r.int16();
      const timestamp = r.int64();
      const offset = r.int64();
      return { topic, partition, error, timestamp, offset, leaderEpoch: version >= 4 ? r.int32() : -1 };
    });
  },
};

export interface EpochEndRequest extends TopicPartition {
  /** Leader epoch that the client knows; −1: unknown. */
  readonly currentLeaderEpoch: number;
  /** The epoch whose end is asked for. */
  readonly leaderEpoch: number;
}

export interface EpochEnd {
  readonly error: number;
  readonly epoch: number;
  readonly endOffset: number;
}

/** Where an epoch ends in the leader's log (KIP-320). */
export const OFFSET_FOR_LEADER_EPOCH: KafkaApi<EpochEndRequest, EpochEnd | undefined> = {
  name: 'OffsetForLeaderEpoch',
  key: API_KEY.OffsetForLeaderEpoch,
  versions: [2, 4],
  flexibleFrom: 4,
  encode(w, request, version) {
    if (version >= 3) w.int32(-1);
    encodeTopics(w, byTopic([request]), version >= 4, ({ partition, currentLeaderEpoch, leaderEpoch }) => {
      w.int32(partition).int32(currentLeaderEpoch).int32(leaderEpoch);
    });
    if (version >= 4) w.taggedFields();
  },
  decode(r, version) {
    r.int32(); // throttle time
    return decodeTopics(r, version >= 4, () => decodeEpochEnd(r))[0];
  },
};

function decodeEpochEnd(r: WireReader): EpochEnd {
  const error = r.int16();
  r.int32(); // partition
  return { error, epoch: r.int32(), endOffset: r.int64() };
}
