import {
  type ConfigSchema,
  custom,
  duration,
  flag,
  integer,
  oneOf,
  optional,
  type Resolved,
  text,
} from '@millrace/common';
import { COMPRESSIONS, DECOMPRESSED_BYTES_MAX } from './records/compression.ts';

const HOST_PORT = /^(?:\[[0-9a-fA-F:]+\]|[^\s:,[\]]+):(\d{1,5})$/;

function parseBrokers(given: unknown): readonly string[] {
  const list = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : given;
  const ok =
    Array.isArray(list) &&
    list.length > 0 &&
    list.every((entry: unknown) => {
      const port = typeof entry === 'string' ? HOST_PORT.exec(entry)?.[1] : undefined;
      return port !== undefined && Number(port) >= 1 && Number(port) <= 65535;
    });
  if (!ok)
    throw new TypeError(
      `expected "host:port,host:port" or an array of "host:port" (bootstrap.servers, metadata.broker.list), got ${JSON.stringify(given)}`,
    );
  return [...(list as string[])];
}

/** TLS material as PEM texts, so that the options can travel to executors. */
export interface TlsOptions {
  readonly ca?: string | readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

const TLS_KEYS: Readonly<Record<keyof TlsOptions, (value: unknown) => boolean>> = {
  ca: (value) =>
    typeof value === 'string' || (Array.isArray(value) && value.every((v) => typeof v === 'string')),
  cert: (value) => typeof value === 'string',
  key: (value) => typeof value === 'string',
  passphrase: (value) => typeof value === 'string',
  servername: (value) => typeof value === 'string',
  rejectUnauthorized: (value) => typeof value === 'boolean',
};

function parseTls(given: unknown): false | TlsOptions {
  if (given === true || given === 'true') return {};
  if (given === false || given === 'false') return false;
  if (given === null || typeof given !== 'object') throw new TypeError('expected true, false or TLS options');
  for (const [name, value] of Object.entries(given)) {
    const check = Object.hasOwn(TLS_KEYS, name) ? TLS_KEYS[name as keyof TlsOptions] : undefined;
    if (check?.(value) !== true)
      throw new TypeError(
        `TLS option "${name}" is unknown or has the wrong type; known (PEM as texts): ${Object.keys(TLS_KEYS).join(', ')}`,
      );
  }
  return { ...(given as TlsOptions) };
}

export interface SaslOptions {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

const SASL_MECHANISMS: readonly SaslOptions['mechanism'][] = ['plain', 'scram-sha-256', 'scram-sha-512'];

function parseSasl(given: unknown): SaslOptions {
  const { mechanism, username, password, ...rest } = Object(given) as Record<string, unknown>;
  const found = SASL_MECHANISMS.find(
    (known) => typeof mechanism === 'string' && known === mechanism.toLowerCase(),
  );
  if (
    found === undefined ||
    typeof username !== 'string' ||
    typeof password !== 'string' ||
    Object.keys(rest).length > 0
  )
    throw new TypeError(
      `expected { mechanism: ${SASL_MECHANISMS.map((m) => `'${m}'`).join(' | ')}, username, password }`,
    );
  return { mechanism: found, username, password };
}

const MIB = 1024 * 1024;

/** Options of a connection to Kafka. Resolved, they are plain data: they are shipped to executors. */
export const KAFKA_OPTIONS = {
  brokers: custom(parseBrokers, {
    doc: 'Brokers to begin with, as "host:port,host:port" or an array (bootstrap.servers or metadata.broker.list in other clients).',
  }),
  clientId: text({ doc: 'Name that brokers see in their logs and quotas.', default: 'millrace' }),
  ssl: custom<false | TlsOptions>(parseTls, {
    doc: 'TLS: true, or { ca, cert, key, passphrase, servername, rejectUnauthorized } with PEM texts.',
    default: false,
    secret: true,
  }),
  sasl: optional(
    custom(parseSasl, {
      doc: 'SASL: { mechanism: "plain" | "scram-sha-256" | "scram-sha-512", username, password }.',
      secret: true,
    }),
  ),
  connectionTimeoutMs: duration({
    doc: 'Until when some broker must have been reached, TLS and SASL included; then KAFKA_UNREACHABLE.',
    default: 10_000,
    min: 100,
  }),
  requestTimeoutMs: duration({
    doc: 'Until when an operation, its retries included, must be answered.',
    default: 30_000,
    min: 100,
  }),
  metadataMaxAgeMs: duration({
    doc: 'Leaders of partitions are asked for again after this time; an error asks at once.',
    default: 60_000,
    min: 100,
  }),
  fetchBytesMax: integer({
    doc: 'Bytes asked for in one fetch (max.partition.fetch.bytes and fetch.max.bytes). Twice as many are in memory while a partition is read. A larger record batch is still read.',
    unit: 'bytes',
    default: 4 * MIB,
    min: 1,
    max: 1024 * MIB,
  }),
  fetchWaitMs: duration({
    doc: 'How long a broker waits for data that is not there yet (fetch.max.wait.ms).',
    default: 500,
    min: 1,
    max: 60_000,
  }),
  fetchTimeoutMs: duration({
    doc: 'How long a read may stay without progress, retries included; then it ends in an error.',
    default: 30_000,
    min: 10,
  }),
  acks: custom<-1 | 0 | 1>(
    (given) => {
      const acks = given === 'all' ? -1 : typeof given === 'string' ? Number(given) : given;
      if (acks === -1 || acks === 0 || acks === 1) return acks;
      throw new TypeError(`expected -1 ("all"), 0 or 1, got ${JSON.stringify(given)}`);
    },
    {
      doc: 'Acknowledgements that a producer waits for: -1 ("all"), 1 (the leader) or 0 (none).',
      default: -1,
    },
  ),
  idempotent: flag({
    doc: 'Number produced batches, so that one whose acknowledgement was lost is not written twice (enable.idempotence). Only with acks -1.',
    default: true,
  }),
  compression: oneOf(COMPRESSIONS, { doc: 'Compression of produced batches.', default: 'none' }),
  produceBatchBytesMax: integer({
    doc: 'Bytes of one produced record batch before compression (batch.size and max.request.size); a larger record is RECORD_TOO_LARGE.',
    unit: 'bytes',
    default: MIB,
    min: 128,
    max: DECOMPRESSED_BYTES_MAX,
  }),
  produceBatchRecordsMax: integer({
    doc: 'Records of one produced record batch.',
    unit: 'records',
    default: 10_000,
    min: 1,
  }),
  producePartitionsInFlightMax: integer({
    doc: 'Partitions that one send works on at the same time, with one batch each in flight: bounds the memory of encoded batches.',
    default: 8,
    min: 1,
    max: 1000,
  }),
  topicTimeoutMs: duration({
    doc: 'Until when the creation or deletion of a topic must be seen by the brokers.',
    default: 30_000,
    min: 100,
  }),
  checkTopicIds: flag({
    doc: 'Read by topic id where brokers can (Kafka 3.1 and later), so that a recreated topic is noticed.',
    default: true,
  }),
} as const satisfies ConfigSchema;

/** Plain, structured-clonable data. */
export type KafkaOptions = Resolved<typeof KAFKA_OPTIONS>;
