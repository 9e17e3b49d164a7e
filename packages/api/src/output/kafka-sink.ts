import { serialize } from 'node:v8';
import { $engine } from '@millrace/closures/runtime';
import { MillraceError } from '@millrace/common';
import type { Compression, KafkaOptions } from '@millrace/kafka';
import { KAFKA_WRITE_PARTS, type KafkaWritePart } from '../actions/kafka-write.ts';
import { checkElementFunction } from '../element-function.ts';
import { type BuiltInCodecName, builtInOf, type Codec, customOf } from '../kafka/codec.ts';
import { isTopicName } from '../kafka/topic-name.ts';
import type { ExactlyOnceOutput, TransactionSettings } from './exactly-once.ts';
import { type ResolvedKafkaSinkOptions, resolveKafkaSinkOptions } from './kafka-options.ts';

/** Turns keys or values into bytes: utf8(), json(), bytes(), or one of your own; null stays null. */
export interface Encoder {
  readonly encode: (value: never) => Uint8Array;
}

/** Names in order, or an object; a value is text or bytes. */
export type KafkaHeaders =
  | ReadonlyArray<readonly [string, string | Uint8Array | null]>
  | Readonly<Record<string, string | Uint8Array | null>>;

/** How a producer writes: what writeToKafka is given. Every option of the Kafka client (`ssl`, `sasl`, `idempotent`, …) is one of these, too. */
export interface ProducerConfig {
  /** Bootstrap brokers: "host:port,host:port" or a list. */
  readonly brokers: string | readonly string[];
  readonly clientId?: string;
  /** Default: -1, all replicas in sync. */
  readonly acks?: -1 | 0 | 1 | 'all';
  readonly compression?: Compression;
  /** How often a batch of records is sent again. Default: until `deliveryTimeoutMs`. */
  readonly retries?: number;
  /** Until when a batch of records must be acknowledged, retries included. Default: 120,000. */
  readonly deliveryTimeoutMs?: number;
  /** 'exactly-once': in one transaction a task. Outputs of streams only. Default: 'at-least-once'. */
  readonly guarantee?: 'at-least-once' | 'exactly-once';
  /** Of an exactly-once output: unique in the job, and to be kept when the job changes. Default: the name of its topic. */
  readonly name?: string;
  /** What transactional ids begin with. Default: 'millrace'. */
  readonly transactionalIdPrefix?: string;
  /** Default: text and bytes as they are, numbers, booleans, arrays and plain objects as JSON. */
  readonly keyCodec?: Encoder;
  /** Default: as keyCodec's. */
  readonly valueCodec?: Encoder;
  /** The partition of a record that names none, of its key as text or bytes. Default: Java's (murmur2); without a key, batch by batch another one. */
  readonly partitioner?: (key: string | Uint8Array | null, partitions: number) => number;
  readonly [option: string]: unknown;
}

/**
 * Which part of a row is what, beside how it is written. Without lambdas a row is { key, value }, [key, value], or a value alone; a Kafka
 * record is copied: the bytes of its key and value, not decoded.
 */
export interface KafkaSinkOptions<T> extends ProducerConfig {
  /** null, undefined: none. */
  readonly key?: (row: T) => unknown;
  /** null: a tombstone. */
  readonly value?: (row: T) => unknown;
  /** undefined: by key. */
  readonly partition?: (row: T) => number | undefined;
  /** ms since 1970; undefined: now. */
  readonly timestamp?: (row: T) => number | Date | undefined;
  readonly headers?: (row: T) => KafkaHeaders | undefined;
}

/** What writeToKafka makes of a row. */
export interface OutputRecord {
  readonly topic: string;
  readonly key?: unknown;
  readonly value: unknown;
  readonly partition?: number | undefined;
  readonly timestamp?: number | Date | undefined;
  readonly headers?: KafkaHeaders | undefined;
}

/** `value` of a kafkaWrite action. */
export interface KafkaWriteSettings
  extends Omit<ResolvedKafkaSinkOptions, 'client' | 'guarantee' | 'name' | 'transactionalIdPrefix'> {
  /** Resolved KafkaOptions. */
  readonly clientJson: string;
  /** Absent: of the row. */
  readonly topic: string | undefined;
  readonly keyCodec: CodecName;
  readonly valueCodec: CodecName;
  /** A record without a key is an error. */
  readonly isKeyed: boolean;
  /** Absent: at least once. */
  readonly transaction?: TransactionSettings;
}

/** auto: by the type of the value. */
type CodecName = BuiltInCodecName | 'auto' | 'custom';

/** A kafkaWrite action, but for its place. */
export interface KafkaWriteCall {
  readonly functions: readonly Function[];
  readonly numbers: readonly number[];
  readonly value: Uint8Array;
  /** Absent: of the row. */
  readonly target?: KafkaTarget;
  /** Absent: at least once. */
  readonly exactlyOnce?: ExactlyOnceOutput;
}

/** Where all rows of an output go. */
export interface KafkaTarget {
  readonly topic: string;
  readonly client: KafkaOptions;
}

type Parts = Partial<Record<KafkaWritePart, unknown>>;

/** @throws MillraceError CONFIG_INVALID, JOB_INVALID, ELEMENT_PROMISE. */
export function toKafkaCall(
  topic: unknown,
  options: KafkaSinkOptions<never>,
  transaction?: TransactionSettings,
): KafkaWriteCall {
  const operation = 'toKafka';
  if (typeof topic !== 'function') checkTopic(topic, operation);
  const { key, value, partition, timestamp, headers } = Object(options) as KafkaSinkOptions<never>;
  const ofRow = { key, value, partition, timestamp, headers };
  return typeof topic === 'function'
    ? call({ operation, options, ofRow: { ...ofRow, topic }, transaction })
    : call({ operation, options, ofRow, topic: topic as string, transaction });
}

/** @throws as toKafkaCall. */
export function writeToKafkaCall(
  config: ProducerConfig,
  transform: unknown,
  isKeyed: boolean,
  transaction?: TransactionSettings,
): KafkaWriteCall {
  const operation = isKeyed ? 'writeWithKeysToKafka' : 'writeToKafka';
  checkElementFunction(operation, transform);
  return call({ operation, options: config, ofRow: { record: transform }, isKeyed, transaction });
}

interface Given {
  readonly operation: string;
  readonly options: ProducerConfig;
  readonly ofRow: Parts;
  readonly topic?: string;
  readonly isKeyed?: boolean;
  readonly transaction: TransactionSettings | undefined;
}

function call({ operation, options, ofRow, topic, isKeyed = false, transaction }: Given): KafkaWriteCall {
  const { client, guarantee, name, transactionalIdPrefix, ...resolved } = resolveKafkaSinkOptions(
    Object(options),
    operation,
  );
  const keyCodec = encoder(options.keyCodec, `${operation}: keyCodec`);
  const valueCodec = encoder(options.valueCodec, `${operation}: valueCodec`);
  const parts: Parts = {
    ...ofRow,
    partitioner: options.partitioner,
    keyEncode: keyCodec.encode,
    valueEncode: valueCodec.encode,
  };
  const functions: Function[] = [];
  const numbers = KAFKA_WRITE_PARTS.map((part) => {
    const f = parts[part];
    if (f === undefined) return 0;
    checkElementFunction(`${operation}: ${part}`, f);
    return functions.push(f as Function);
  });
  const settings: KafkaWriteSettings = {
    ...resolved,
    clientJson: JSON.stringify(client),
    topic,
    keyCodec: keyCodec.name,
    valueCodec: valueCodec.name,
    isKeyed,
    ...(transaction && { transaction }),
  };
  const target = topic === undefined ? {} : { target: { topic, client } };
  const made = { functions, numbers, value: serialize(settings), ...target };
  if (guarantee !== 'exactly-once') return made;
  const { deliveryTimeoutMs } = resolved;
  const unique = outputName(name ?? topic, operation);
  return { ...made, exactlyOnce: { name: unique, transactionalIdPrefix, client, deliveryTimeoutMs } };
}

function outputName(name: string | undefined, operation: string): string {
  if (name !== undefined) return name;
  throw new MillraceError('CONFIG_INVALID', `${operation}: an exactly-once output needs a name`, {
    remedy:
      'Give { name }: unique in the job, and kept when the job changes. Only a fixed topic is one by itself.',
  });
}

function checkTopic(topic: unknown, operation: string): void {
  if (isTopicName(topic)) {
    if (!topic.startsWith('__')) return;
    throw new MillraceError('JOB_INVALID', `${operation}(): "${topic}" is an internal topic`, {
      remedy: 'Names that begin with "__" are those of Kafka and of Millrace: give another one.',
      details: { topic },
    });
  }
  throw new MillraceError('JOB_INVALID', `${operation}(): ${JSON.stringify(topic)} is no name of a topic`, {
    remedy: 'Give a name of letters, digits, ".", "_" and "-", or a function of the row.',
  });
}

function encoder(codec: unknown, where: string): { readonly name: CodecName; readonly encode?: Function } {
  if (codec === undefined) return { name: 'auto' };
  const known = typeof codec === 'object' && codec !== null ? builtInOf(codec) : undefined;
  if (known) return { name: known.name };
  if (typeof Reflect.get(Object(codec), 'encode') !== 'function')
    throw new MillraceError('CONFIG_INVALID', `${where}: expected utf8(), json(), bytes(), or { encode }`);
  const { codec: inner } = customOf(codec as Codec<never>);
  // Bound, so that an encode method may use its codec's fields.
  return { name: 'custom', encode: $engine.b(inner.encode, [inner]) as Function };
}
