import { API_KEY } from '../wire/api-key.ts';
import type { WireReader } from '../wire/wire-reader.ts';
import type { KafkaApi } from './kafka-api.ts';

export interface MetadataRequest {
  /** null: all topics. */
  readonly topics: readonly string[] | null;
}

export interface MetadataResponse {
  readonly brokers: ReadonlyArray<{ readonly nodeId: number; readonly host: string; readonly port: number }>;
  readonly controllerId: number;
  readonly topics: readonly MetadataTopic[];
}

export interface MetadataTopic {
  readonly error: number;
  readonly topic: string;
  /** undefined before v10. */
  readonly topicId: string | undefined;
  readonly internal: boolean;
  readonly partitions: ReadonlyArray<{
    readonly error: number;
    readonly partition: number;
    readonly leaderId: number;
    /** −1 before v7. */
    readonly leaderEpoch: number;
  }>;
}

const NO_TOPIC_ID = Buffer.alloc(16);

export const METADATA: KafkaApi<MetadataRequest, MetadataResponse> = {
  name: 'Metadata',
  key: API_KEY.Metadata,
  versions: [4, 12],
  flexibleFrom: 9,
  encode(w, { topics }, version) {
    if (version < 9) {
      w.nullableArray(topics, (topic) => w.string(topic)).boolean(false);
      if (version >= 8) w.boolean(false).boolean(false);
      return;
    }
    w.compactNullableArray(topics, (topic) => {
      if (version >= 10) w.raw(NO_TOPIC_ID);
      w.compactString(topic).taggedFields();
    });
    w.boolean(false); // allow_auto_topic_creation
    if (version <= 10) w.boolean(false); // include_cluster_authorized_operations
    w.boolean(false).taggedFields();
  },
  decode(r, version) {
    const flexible = version >= 9;
    r.int32(); // throttle time
    const broker = () => {
      const nodeId = r.int32();
      const host = flexible ? r.compactString() : r.string();
      const port = r.int32();
      if (flexible) {
        r.compactNullableString();
        r.taggedFields();
      } else r.nullableString();
      return { nodeId, host, port };
    };
    const brokers = flexible ? r.compactArray(broker) : r.array(broker);
    if (flexible) r.compactNullableString();
    else r.nullableString();
    const controllerId = r.int32();
    const topic = () => decodeTopic(r, version);
    const topics = flexible ? r.compactArray(topic) : r.array(topic);
    return { brokers, controllerId, topics };
  },
};

function decodeTopic(r: WireReader, version: number): MetadataTopic {
  const flexible = version >= 9;
  const error = r.int16();
  const topic = flexible ? (r.compactNullableString() ?? '') : r.string();
  const topicId = version >= 10 ? r.uuid() : undefined;
  const internal = r.boolean();
  const ids = (): number[] => (flexible ? r.compactArray(() => r.int32()) : r.array(() => r.int32()));
  const partitionOf = () => {
    const partitionError = r.int16();
    const partition = r.int32();
    const leaderId = r.int32();
    const leaderEpoch = version >= 7 ? r.int32() : -1;
    ids(); // replicas
    ids(); // in-sync replicas
    if (version >= 5) ids(); // offline replicas
    if (flexible) r.taggedFields();
    return { error: partitionError, partition, leaderId, leaderEpoch };
  };
  const partitions = flexible ? r.compactArray(partitionOf) : r.array(partitionOf);
  if (version >= 8) r.int32(); // authorized operations
  if (flexible) r.taggedFields();
  return { error, topic, topicId, internal, partitions };
}
