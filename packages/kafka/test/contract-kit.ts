import { randomUUID } from 'node:crypto';
import { MillraceError, resolveConfig } from '@millrace/common';
import {
  compress,
  connectKafka,
  decompress,
  KAFKA_OPTIONS,
  type KafkaClient,
  type OffsetRange,
  type ProduceRecord,
  type ReaderOptions,
  topicPartitionKey,
} from '@millrace/kafka';
import kafkajs from 'kafkajs';

export interface KafkaUnderTest {
  readonly brokers: string;
  /** Deletion of records and log-append time are implemented. */
  readonly logCleaning: boolean;
}

/** A record as our reader and kafkajs's consumer both can tell it. */
export type Row = readonly [
  offset: number,
  key: string | null,
  value: string | null,
  headers: Readonly<Record<string, string>>,
  timestamp: number,
];

export const TIMEOUT_MS = 60_000;

/** kafkajs's codecs, in the order of our COMPRESSIONS. */
export const KAFKAJS_CODECS: readonly kafkajs.CompressionTypes[] = [
  kafkajs.CompressionTypes.None,
  kafkajs.CompressionTypes.GZIP,
  kafkajs.CompressionTypes.Snappy,
  kafkajs.CompressionTypes.LZ4,
  kafkajs.CompressionTypes.ZSTD,
];

function codec(number: number) {
  return () => ({
    compress: async ({ buffer }: { buffer: Buffer }) => compress(number, buffer),
    decompress: async (bytes: Buffer) => decompress(number, bytes),
  });
}

/** Clients of one Kafka, ours and kafkajs's, and topics that are deleted in the end. */
export class ContractKit {
  readonly under: KafkaUnderTest;
  readonly kafka: KafkaClient;
  readonly js: kafkajs.Kafka;
  private readonly topics: string[] = [];

  constructor(under: KafkaUnderTest) {
    this.under = under;
    this.kafka = this.client();
    this.js = new kafkajs.Kafka({ brokers: under.brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
    const { CompressionCodecs } = kafkajs;
    CompressionCodecs[kafkajs.CompressionTypes.Snappy] = codec(2);
    CompressionCodecs[kafkajs.CompressionTypes.LZ4] = codec(3);
    CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = codec(4);
  }

  /** Another client of ours; the caller closes it. */
  client(given: Readonly<Record<string, unknown>> = {}): KafkaClient {
    return connectKafka(resolveConfig(KAFKA_OPTIONS, { brokers: this.under.brokers, ...given }, 'kafka'));
  }

  async newTopic(partitions = 1, config: Readonly<Record<string, string>> = {}): Promise<string> {
    const topic = `contract-${randomUUID()}`;
    await this.kafka.createTopic(topic, { partitions, replicationFactor: 1, config });
    this.topics.push(topic);
    return topic;
  }

  async rowsOf(range: OffsetRange, options: ReaderOptions = {}, from = this.kafka): Promise<Row[]> {
    const rows: Row[] = [];
    const reader = from.reader(range, options);
    for await (const c of reader.read(range, { reuseColumns: true })) {
      for (let i = 0; i < c.n; i++) {
        const headers = Object.fromEntries(c.headers(i).map(([h, v]) => [h, String(v)]));
        rows.push([
          c.offset[i] as number,
          c.keyString(i),
          c.valueString(i),
          headers,
          c.timestamp[i] as number,
        ]);
      }
    }
    await reader.close();
    return rows;
  }

  /** The last stable offset. */
  async endOf(topic: string, partition = 0): Promise<number> {
    const tp = { topic, partition };
    return (await this.kafka.listOffsets([tp], 'latest')).get(topicPartitionKey(tp))?.offset ?? -1;
  }

  async close(): Promise<void> {
    for (const topic of this.topics) await this.kafka.deleteTopic(topic).catch(() => {});
    await this.kafka.close();
  }
}

/** The code of the error that `run` ends in. */
export async function codeOf(run: Promise<unknown> | (() => Promise<unknown>)): Promise<string> {
  try {
    await (typeof run === 'function' ? run() : run);
  } catch (error) {
    return MillraceError.is(error) ? error.code : `not coded: ${String(error)}`;
  }
  return 'nothing thrown';
}

export function values(rows: readonly Row[]): unknown[] {
  return rows.map(([, , value]) => value);
}

export function numbered(n: number, prefix = 'v'): ProduceRecord[] {
  return Array.from({ length: n }, (_, i) => ({ value: `${prefix}${i}`, partition: 0 }));
}

/** The first `until` records of partition 0 as kafkajs's consumer gives them. */
export async function readWithKafkajs(js: kafkajs.Kafka, topic: string, until: number): Promise<Row[]> {
  const consumer = js.consumer({ groupId: `contract-${randomUUID()}`, maxWaitTimeInMs: 100 });
  const rows: Row[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch }) => {
      for (const m of batch.messages) {
        const headers = Object.fromEntries(Object.entries(m.headers ?? {}).map(([h, v]) => [h, String(v)]));
        rows.push([
          Number(m.offset),
          m.key?.toString() ?? null,
          m.value?.toString() ?? null,
          headers,
          Number(m.timestamp),
        ]);
      }
      if (rows.length >= until) resolve();
    },
  });
  await done;
  await consumer.disconnect();
  return rows;
}
