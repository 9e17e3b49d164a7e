import type { TopicPartition } from '../topic-partition.ts';
import { API_KEY } from '../wire/api-key.ts';
import type { WireWriter } from '../wire/wire-writer.ts';
import type { KafkaApi } from './kafka-api.ts';
import { byTopic, decodeTopics, encodeTopics } from './topic-array.ts';

/** Who sends: every request of a transaction names it. */
export interface TransactionSender {
  readonly transactionalId: string;
  readonly id: bigint;
  readonly epoch: number;
}

export type PartitionErrors = ReadonlyArray<TopicPartition & { readonly error: number }>;

const FLEXIBLE_FROM = 3;

function text(w: WireWriter, value: string, version: number): void {
  if (version >= FLEXIBLE_FROM) w.compactString(value);
  else w.string(value);
}

function sender(w: WireWriter, { transactionalId, id, epoch }: TransactionSender, version: number): void {
  text(w, transactionalId, version);
  w.bigint64(id).int16(epoch);
}

export const ADD_PARTITIONS_TO_TXN: KafkaApi<
  TransactionSender & { readonly partitions: readonly TopicPartition[] },
  PartitionErrors
> = {
  name: 'AddPartitionsToTxn',
  key: API_KEY.AddPartitionsToTxn,
  // v4 is for brokers.
  versions: [0, 3],
  flexibleFrom: FLEXIBLE_FROM,
  encode(w, request, version) {
    sender(w, request, version);
    const topics = byTopic(request.partitions);
    if (version < FLEXIBLE_FROM) {
      encodeTopics(w, topics, false, ({ partition }) => w.int32(partition));
      return;
    }
    w.compactArray(topics, ([topic, of]) => {
      w.compactString(topic)
        .compactArray(of, ({ partition }) => w.int32(partition))
        .taggedFields();
    });
    w.taggedFields();
  },
  decode(r, version) {
    r.int32(); // throttle time
    return decodeTopics(r, version >= FLEXIBLE_FROM, (topic) => ({
      topic,
      partition: r.int32(),
      error: r.int16(),
    }));
  },
};

export const ADD_OFFSETS_TO_TXN: KafkaApi<TransactionSender & { readonly groupId: string }, number> = {
  name: 'AddOffsetsToTxn',
  key: API_KEY.AddOffsetsToTxn,
  versions: [0, 4],
  flexibleFrom: FLEXIBLE_FROM,
  encode(w, request, version) {
    sender(w, request, version);
    text(w, request.groupId, version);
    if (version >= FLEXIBLE_FROM) w.taggedFields();
  },
  decode(r) {
    r.int32(); // throttle time
    return r.int16();
  },
};

export interface TxnOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata?: string;
}

/** A commit by no member of the group: the transaction alone protects the offsets. */
export const TXN_OFFSET_COMMIT: KafkaApi<
  TransactionSender & { readonly groupId: string; readonly offsets: readonly TxnOffset[] },
  PartitionErrors
> = {
  name: 'TxnOffsetCommit',
  key: API_KEY.TxnOffsetCommit,
  versions: [0, 4],
  flexibleFrom: FLEXIBLE_FROM,
  encode(w, request, version) {
    const flexible = version >= FLEXIBLE_FROM;
    text(w, request.transactionalId, version);
    text(w, request.groupId, version);
    w.bigint64(request.id).int16(request.epoch);
    // Generation, member id and group instance id: none.
    if (flexible) w.int32(-1).compactString('').compactNullableString(null);
    encodeTopics(w, byTopic(request.offsets), flexible, ({ partition, offset, metadata = '' }) => {
      w.int32(partition).int64(offset);
      if (version >= 2) w.int32(-1); // leader epoch
      if (flexible) w.compactNullableString(metadata);
      else w.nullableString(metadata);
    });
    if (flexible) w.taggedFields();
  },
  decode: ADD_PARTITIONS_TO_TXN.decode,
};

/** v5 is the second protocol of KIP-890: it raises the epoch with each transaction. Here an init does that. */
export const END_TXN: KafkaApi<TransactionSender & { readonly commit: boolean }, number> = {
  name: 'EndTxn',
  key: API_KEY.EndTxn,
  versions: [0, 4],
  flexibleFrom: FLEXIBLE_FROM,
  encode(w, request, version) {
    sender(w, request, version);
    w.boolean(request.commit);
    if (version >= FLEXIBLE_FROM) w.taggedFields();
  },
  decode: ADD_OFFSETS_TO_TXN.decode,
};
