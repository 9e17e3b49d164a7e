import { types } from 'node:util';
import {
  type ConfigSchema,
  checkConfig,
  custom,
  flag,
  integer,
  MillraceError,
  messageOf,
  oneOf,
  optional,
  text,
  unknownOption,
} from '@millrace/common';
import { type IsolationLevel, KAFKA_OPTIONS, type KafkaOptions, type OffsetSpec } from '@millrace/kafka';
import type { Codec } from './codec.ts';
import type { DeadLetterOptions } from './dead-letter-topic.ts';
import { isTopicName } from './topic-name.ts';

/** What becomes of records that do not decode. */
export type OnDecodeError = 'fail' | 'skip' | DeadLetterOptions;

/** Where a stream begins when nothing else says so. */
export type StartFrom = OffsetSpec;

/** Offsets to start at exactly, keyed "topic-partition". */
export type StartOffsets = ReadonlyMap<string, number> | Readonly<Record<string, number>>;

/** What reading needs. Every option of the Kafka client (`clientId`, `ssl`, `sasl`, …: see KAFKA_OPTIONS) is one of these, too. */
export interface ReadOptions<K, V> {
  /** Bootstrap brokers: "host:port,host:port" or a list. */
  readonly brokers: string | readonly string[];
  /** Default: nullable(utf8()). */
  readonly key?: Codec<K>;
  /** Default: utf8(). */
  readonly value?: Codec<V>;
  /** Default: read_committed. */
  readonly isolation?: IsolationLevel;
  /**
   * What becomes of a record whose key or value does not decode. fail: the task fails, and after its attempts the application. skip: the
   * record is left out, and counted. { deadLetterTopic }: it is left out, and written to that topic, as it is, with headers that say why. With the
   * last two every record is decoded, also one whose value no lambda reads. Default: fail.
   */
  readonly onDecodeError?: OnDecodeError;
  /** Options of the Kafka client. */
  readonly [option: string]: unknown;
}

/** What a consumer strategy needs beside the partitions. */
export interface ConsumerOptions<K, V> extends ReadOptions<K, V> {
  /** Names the stream's offsets in Kafka. Use a separate one for each stream. Never joined: there is nothing to rebalance. */
  readonly groupId: string;
  /** Required on a first run: nobody gets `latest` by accident. */
  readonly startFrom?: StartFrom;
  /** Exact start offsets; partitions that are not named start as `startFrom` says. Ignored once the application has a log. */
  readonly offsets?: StartOffsets;
  /**
   * Kafka's consumer group `groupId` follows the application's log of offsets (once a second at most), so that Kafka's own lag tools see
   * the stream. The log stays what counts. Needs the right to commit for the group, and a group that nobody else uses. Default: false.
   */
  readonly mirrorOffsets?: boolean;
  /**
   * What happens when retention has deleted records before they were read. true: the application fails, and says which are gone. false: it
   * goes on where records still are; the skip is in its log, and counted. Default: true.
   */
  readonly failOnDataLoss?: boolean;
  /** Records a second and partition; default: no limit but `maxRecordsPerBatch`. */
  readonly maxRatePerPartition?: number | 'unlimited';
  /** Records a batch over all partitions of this stream, so that a first batch is never unbounded. Default: 1,000,000. */
  readonly maxRecordsPerBatch?: number | 'unlimited';
  /** Records that a partition with lag is always allowed in a batch. Default: 1. */
  readonly minRecordsPerPartitionPerBatch?: number;
}

/** Resolved options: plain data, but for the codecs. */
export interface ResolvedConsumerOptions {
  readonly client: KafkaOptions;
  readonly groupId: string;
  readonly startFrom: StartFrom | undefined;
  readonly offsets: ReadonlyMap<string, number>;
  readonly mirrorOffsets: boolean;
  readonly failOnDataLoss: boolean;
  readonly onDecodeError: OnDecodeError;
  readonly key: Codec<unknown> | undefined;
  readonly value: Codec<unknown> | undefined;
  readonly isolation: IsolationLevel;
  /** Infinity: no limit. */
  readonly maxRatePerPartition: number;
  /** Infinity: no limit. */
  readonly maxRecordsPerBatch: number;
  readonly minRecordsPerPartitionPerBatch: number;
}

export const RECORDS_PER_BATCH_MAX_DEFAULT = 1_000_000;

const startFrom = custom<StartFrom>(
  (given) => {
    if (given === 'earliest' || given === 'latest') return given;
    if (given !== null && typeof given === 'object' && 'timestamp' in given) {
      const timestamp = given.timestamp instanceof Date ? given.timestamp.getTime() : given.timestamp;
      if (typeof timestamp === 'number' && Number.isSafeInteger(timestamp) && timestamp >= 0)
        return { timestamp };
    }
    throw new TypeError(`expected 'earliest', 'latest' or { timestamp: ms }, got ${messageOf(given)}`);
  },
  { doc: 'where a first run begins' },
);

const offsets = custom<ReadonlyMap<string, number>>(
  (given) => {
    const entries: [string, unknown][] =
      given instanceof Map ? [...(given as Map<string, unknown>)] : Object.entries(given as object);
    for (const [key, offset] of entries) {
      if (!/^.+-\d+$/.test(key)) throw new TypeError(`"${key}" is not "topic-partition"`);
      if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) {
        throw new TypeError(`offset ${String(offset)} of ${key} is not an integer in [0, 2^53−1]`);
      }
    }
    return new Map(entries as [string, number][]);
  },
  { doc: 'exact start offsets, keyed "topic-partition"', default: new Map() },
);

const codec = (doc: string) =>
  optional(
    custom<Codec<unknown>>(
      (given) => {
        const candidate = given as Partial<Codec<unknown>> | null;
        if (types.isAsyncFunction(candidate?.decode))
          throw new TypeError('decode() is async; decode synchronously, or read bytes() and use mapAsync()');
        if (typeof candidate?.decode === 'function' && typeof candidate.encode === 'function')
          return given as Codec<unknown>;
        throw new TypeError('expected a codec: utf8(), json(), bytes(), or { decode, encode }');
      },
      { doc },
    ),
  );

const limit = (doc: string, unit: string, fallback: number) =>
  custom<number>(
    (given) => {
      if (given === 'unlimited') return Number.POSITIVE_INFINITY;
      if (typeof given === 'number' && given > 0 && Number.isFinite(given)) return given;
      throw new TypeError(`expected a number above 0, or 'unlimited', got ${messageOf(given)}`);
    },
    { doc, unit, default: fallback },
  );

/** Options of a stream beside those of the Kafka client. */
export const STREAM_OPTIONS = {
  groupId: text({ doc: "names the stream's offsets in Kafka; a separate one for each stream" }),
  startFrom: optional(startFrom),
  offsets,
  mirrorOffsets: flag({
    doc: "the consumer group follows the application's log of offsets, for Kafka's own lag tools",
    default: false,
  }),
  failOnDataLoss: flag({
    doc: 'records that retention deleted before they were read: true: an error; false: a skip that is logged and counted',
    default: true,
  }),
  onDecodeError: custom<OnDecodeError>(
    (given) => {
      if (given === 'fail' || given === 'skip') return given;
      if (given === null || typeof given !== 'object')
        throw new TypeError(`expected 'fail', 'skip' or { deadLetterTopic: name }, got ${messageOf(given)}`);
      const { deadLetterTopic, ...rest } = given as Partial<DeadLetterOptions>;
      const [unknown] = Object.keys(rest);
      if (unknown !== undefined) throw new TypeError(unknownOption(unknown, ['deadLetterTopic']));
      if (!isTopicName(deadLetterTopic))
        throw new TypeError(`deadLetterTopic: ${JSON.stringify(deadLetterTopic)} is no name of a topic`);
      return { deadLetterTopic };
    },
    {
      doc: "a record whose key or value does not decode: 'fail' the task, 'skip' the record and count it, or { deadLetterTopic } to write it there",
      default: 'fail',
    },
  ),
  key: codec('decodes keys; default nullable(utf8())'),
  value: codec('decodes values; default utf8()'),
  isolation: oneOf(['read_committed', 'read_uncommitted'], {
    doc: 'whether records of open and aborted transactions are read',
    default: 'read_committed',
  }),
  maxRatePerPartition: limit('records a second of one partition', 'records/s', Number.POSITIVE_INFINITY),
  maxRecordsPerBatch: limit(
    'records of one batch, over all partitions',
    'records',
    RECORDS_PER_BATCH_MAX_DEFAULT,
  ),
  minRecordsPerPartitionPerBatch: integer({
    doc: 'records that a partition with lag is always allowed in a batch',
    default: 1,
  }),
} satisfies ConfigSchema;

// Names that users of Kafka's other clients and of Spark write, and what they are called here.
const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'brokers',
  'metadata.broker.list': 'brokers',
  'group.id': 'groupId',
  'auto.offset.reset': 'startFrom',
  'isolation.level': 'isolation',
  fromOffset: 'offsets',
  'client.id': 'clientId',
};
const AUTO_COMMIT = ['enable.auto.commit', 'enableAutoCommit', 'autoCommit'];

/** Problems of consumer options, and the resolved options when there are none. Never throws. */
export function checkConsumerOptions(
  given: unknown,
  where: string,
): { readonly problems: readonly string[]; readonly value: ResolvedConsumerOptions | undefined } {
  if (given === null || typeof given !== 'object')
    return { problems: [`${where}: options are missing`], value: undefined };
  const problems: string[] = [];
  const mine: Record<string, unknown> = {};
  const kafka: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    if (AUTO_COMMIT.includes(name)) {
      if (value === false || value === 'false') continue;
      problems.push(
        `${where}: "${name}": auto-commit would lose records: Millrace keeps the offsets itself; remove it`,
      );
    } else if (Object.hasOwn(FOREIGN_NAMES, name)) {
      const ours = FOREIGN_NAMES[name] ?? '';
      problems.push(`${where}: "${name}" is called "${ours}" here`);
      // Not missing, too.
      if (Object.hasOwn(KAFKA_OPTIONS, ours)) kafka[ours] ??= value;
      else mine[ours] ??= value;
    } else if (Object.hasOwn(STREAM_OPTIONS, name)) mine[name] = value;
    else if (Object.hasOwn(KAFKA_OPTIONS, name)) kafka[name] = value;
    else {
      const known = [...Object.keys(STREAM_OPTIONS), ...Object.keys(KAFKA_OPTIONS)];
      problems.push(`${where}: ${unknownOption(name, known)}`);
    }
  }
  const own = checkConfig(STREAM_OPTIONS, mine, where);
  const client = checkConfig(KAFKA_OPTIONS, kafka, where);
  problems.push(...own.problems, ...client.problems);
  if (problems.length > 0 || own.value === undefined || client.value === undefined)
    return { problems, value: undefined };
  return { problems, value: { ...own.value, client: client.value } };
}

/** @throws MillraceError CONFIG_INVALID listing every problem. */
export function resolveConsumerOptions(given: unknown, where: string): ResolvedConsumerOptions {
  const { problems, value } = checkConsumerOptions(given, where);
  if (value === undefined) throw new MillraceError('CONFIG_INVALID', problems.join('\n'));
  return value;
}
