import {
  type ConfigSchema,
  checkConfig,
  duration,
  integer,
  MillraceError,
  oneOf,
  optional,
  text,
  unknownOption,
} from '@millrace/common';
import { KAFKA_OPTIONS, type KafkaOptions } from '@millrace/kafka';

const MIB = 1024 * 1024;

/** Options of a Kafka sink beside those of the client. */
const KAFKA_SINK_OPTIONS = {
  deliveryTimeoutMs: duration({
    doc: 'Until when a batch of records must be acknowledged, retries included; also how long brokers may be away.',
    default: 120_000,
    min: 100,
  }),
  retries: optional(
    integer({ doc: 'How often a batch is sent again; default: until deliveryTimeoutMs.', min: 0 }),
  ),
  lingerMs: optional(
    duration({
      doc: 'How long a record of a slow task may wait for its batch to fill; default: until the task ends.',
    }),
  ),
  bufferBytesMax: integer({
    doc: 'Bytes of records of one task that are not acknowledged yet; above it the task waits.',
    unit: 'bytes',
    default: 32 * MIB,
    min: 1,
    max: 1024 * MIB,
  }),
  guarantee: oneOf(['at-least-once', 'exactly-once'], {
    doc: 'exactly-once: the records of each task become visible in one transaction; readers with isolation.level=read_committed see each once. Only of streams.',
    default: 'at-least-once',
  }),
  name: optional(
    text({
      doc: 'Of an exactly-once output: unique in the job, and to be kept when the job changes. Default: the name of its topic.',
      pattern: /^[\w.-]{1,249}$/,
    }),
  ),
  transactionalIdPrefix: text({
    doc: 'What the transactional ids and the groups of an exactly-once output begin with ("PREFIX/APPLICATION/NAME/…"): for ACLs, and to tell two clusters of Millrace apart that write to one Kafka.',
    default: 'millrace',
    pattern: /^[\w./-]{1,100}$/,
  }),
} satisfies ConfigSchema;

/** Lambdas and codecs: no settings. */
const PARTS = [
  'key',
  'value',
  'partition',
  'timestamp',
  'headers',
  'keyCodec',
  'valueCodec',
  'partitioner',
] as const;

// Kafka's names, and what they are called here.
const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  'bootstrap.servers': 'brokers',
  'metadata.broker.list': 'brokers',
  'client.id': 'clientId',
  'compression.type': 'compression',
  'compression.codec': 'compression',
  'request.required.acks': 'acks',
  'batch.size': 'produceBatchBytesMax',
  'max.request.size': 'produceBatchBytesMax',
  'linger.ms': 'lingerMs',
  'buffer.memory': 'bufferBytesMax',
  'delivery.timeout.ms': 'deliveryTimeoutMs',
  'request.timeout.ms': 'requestTimeoutMs',
  'enable.idempotence': 'idempotent',
  'transactional.id': 'transactionalIdPrefix',
  'partitioner.class': 'partitioner',
  'key.serializer': 'keyCodec',
  'value.serializer': 'valueCodec',
  'key.serializer.class': 'keyCodec',
  'serializer.class': 'valueCodec',
};

export interface ResolvedKafkaSinkOptions {
  readonly client: KafkaOptions;
  readonly deliveryTimeoutMs: number;
  readonly retries: number | undefined;
  readonly lingerMs: number | undefined;
  readonly bufferBytesMax: number;
  readonly guarantee: 'at-least-once' | 'exactly-once';
  readonly name: string | undefined;
  readonly transactionalIdPrefix: string;
}

/** @throws MillraceError CONFIG_INVALID listing every problem. */
export function resolveKafkaSinkOptions(
  given: Readonly<Record<string, unknown>>,
  where: string,
): ResolvedKafkaSinkOptions {
  const problems: string[] = [];
  const mine: Record<string, unknown> = {};
  const kafka: Record<string, unknown> = {};
  const schema = KAFKA_SINK_OPTIONS;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || (PARTS as readonly string[]).includes(name)) continue;
    if (Object.hasOwn(FOREIGN_NAMES, name)) {
      const ours = FOREIGN_NAMES[name] ?? '';
      problems.push(`${where}: "${name}" is called "${ours}" here`);
      if (ours === 'brokers') kafka['brokers'] ??= value; // not missing, too
    } else if (Object.hasOwn(schema, name)) mine[name] = value;
    else if (Object.hasOwn(KAFKA_OPTIONS, name)) kafka[name] = value;
    else {
      const known = [...PARTS, ...Object.keys(schema), ...Object.keys(KAFKA_OPTIONS)];
      problems.push(`${where}: ${unknownOption(name, known)}`);
    }
  }
  const own = checkConfig(schema, mine, where);
  const client = checkConfig(KAFKA_OPTIONS, kafka, where);
  problems.push(...own.problems, ...client.problems);
  if (own.value?.guarantee === 'exactly-once' && client.value !== undefined) {
    const { acks, idempotent } = client.value;
    if (acks !== -1 || !idempotent)
      problems.push(`${where}: guarantee 'exactly-once' needs acks -1 and idempotent true`);
  } else if (own.value?.name !== undefined)
    problems.push(`${where}: name is an option of guarantee 'exactly-once'`);
  if (problems.length > 0 || own.value === undefined || client.value === undefined)
    throw new MillraceError('CONFIG_INVALID', problems.join('\n'));
  return { ...own.value, client: client.value };
}
