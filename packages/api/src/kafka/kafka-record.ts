/**
 * One Kafka record. In a task, everything of it is a getter over what was fetched; key, value and headers are decoded when they are first
 * read. So `{ ...record }` copies nothing: write `{ ...plainRecord(record) }`. What leaves a task (collect, take) is plain already.
 */
// A class for the compiler only: it knows that a spread does not copy a class's getters, and says so.
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export declare abstract class KafkaRecord<K = string | null, V = string> {
  get topic(): string;
  get partition(): number;
  get offset(): number;
  /** ms since 1970, as the topic's timestamp type says (create time or append time). */
  get timestamp(): number;
  get key(): K;
  get value(): V;
  /** In order; a name may repeat. */
  get headers(): ReadonlyArray<readonly [string, Uint8Array | null]>;
}

/** A record whose key, value and headers are decoded, in plain properties. */
export interface PlainRecord<K = string | null, V = string> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: K;
  readonly value: V;
  readonly headers: ReadonlyArray<readonly [string, Uint8Array | null]>;
}

/** A copy with plain properties. */
export function plainRecord<K, V>(record: KafkaRecord<K, V>): PlainRecord<K, V> {
  const { topic, partition, offset, timestamp, key, value, headers } = record;
  return { topic, partition, offset, timestamp, key, value, headers };
}
