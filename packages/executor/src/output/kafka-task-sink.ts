import { deserialize } from 'node:v8';
import {
  KAFKA_WRITE_PARTS,
  type KafkaWritePart,
  type KafkaWriteSettings,
  type OutputRecord,
  type SkippedTask,
} from '@millrace/api/internal';
import { crashPoint, MillraceError } from '@millrace/common';
import type { RecordStream, RecordStreamOptions } from '@millrace/kafka';
import type { ProducerCache, ProducerLease } from './producer-cache.ts';
import {
  type Encode,
  encoderOf,
  headersOf,
  keyOfRow,
  partitionOf,
  rawPart,
  timestampOf,
  topicOf,
  unfit,
  valueOfRow,
} from './record-parts.ts';
import type { SinkRequest, TaskSink } from './task-sink.ts';
import { TransactionStream } from './transaction-stream.ts';

/** The rows of one task as records. */
export class KafkaTaskSink implements TaskSink {
  /** Of every record, unless a lambda says it. */
  readonly topic: string | undefined;
  readonly #lease: ProducerLease;
  readonly #stream: RecordStream | TransactionStream;
  readonly #encodeKey: Encode;
  readonly #encodeValue: Encode;
  readonly #copiesKey: boolean;
  readonly #copiesValue: boolean;
  readonly #isKeyed: boolean;

  /** @throws MillraceError INTERNAL. */
  constructor({ action, functions, task, signal }: SinkRequest, producers: ProducerCache) {
    if (action.value === undefined) throw new MillraceError('INTERNAL', 'a sink has no settings');
    const settings = deserialize(action.value) as KafkaWriteSettings;
    const { retries, lingerMs, deliveryTimeoutMs, bufferBytesMax, keyCodec, valueCodec } = settings;
    const part = (name: KafkaWritePart): Function | undefined =>
      functions[(action.numbers[KAFKA_WRITE_PARTS.indexOf(name)] ?? 0) - 1];
    const partitioner = part('partitioner');
    this.topic = settings.topic;
    this.#isKeyed = settings.isKeyed;
    this.#encodeKey = encoderOf(keyCodec, 'key', part('keyEncode'));
    this.#encodeValue = encoderOf(valueCodec, 'value', part('valueEncode'));
    this.#copiesKey = keyCodec === 'auto';
    this.#copiesValue = valueCodec === 'auto';
    this.#lease = producers.lease(settings.clientJson, task.application, task.epoch);
    const options = {
      deliveryTimeoutMs,
      bufferBytesMax,
      // Tasks begin at different partitions; one that runs again begins where it did.
      firstPartition: task.partitionId,
      signal,
      ...(retries !== undefined && { retriesMax: retries }),
      ...(lingerMs !== undefined && { lingerMs }),
      ...(partitioner && {
        partitioner: ((key, partitions) => partitioner(key, partitions)) as NonNullable<
          RecordStreamOptions['partitioner']
        >,
      }),
    };
    const { transaction } = settings;
    this.#stream = transaction
      ? new TransactionStream({ client: this.#lease.client, transaction, task, stream: options })
      : this.#lease.producer.stream(options);
  }

  get isFull(): boolean {
    return this.#stream.isFull;
  }

  /** The key of a row, for which there is no lambda. */
  keyOf(row: unknown): unknown {
    const raw = this.#copiesKey ? rawPart(row, 'key') : undefined;
    return raw === undefined ? keyOfRow(row) : raw;
  }

  valueOf(row: unknown): unknown {
    const raw = this.#copiesValue ? rawPart(row, 'value') : undefined;
    return raw === undefined ? valueOfRow(row) : raw;
  }

  /** @throws MillraceError VALUE_ENCODE, ELEMENT_PROMISE, RECORD_TOO_LARGE, UNKNOWN_PARTITION. */
  write(
    topic: unknown,
    key: unknown,
    value: unknown,
    partition: unknown,
    timestamp: unknown,
    headers: unknown,
  ): void {
    const encodedKey = this.#encodeKey(key);
    if (this.#isKeyed && encodedKey === null)
      throw unfit('a record has no key', 'Give one, or use writeToKafka.');
    this.#stream.append(
      typeof topic === 'string' && topic === this.topic ? topic : topicOf(topic),
      encodedKey,
      this.#encodeValue(value),
      partition === undefined ? undefined : partitionOf(partition),
      timestamp === undefined ? undefined : timestampOf(timestamp),
      headersOf(headers),
    );
  }

  /** What the function of writeToKafka returned. @throws as write. */
  writeRecord(record: unknown): void {
    if (typeof record !== 'object' || record === null)
      throw unfit('the function of writeToKafka returned no record', 'Return { topic, key, value }.');
    const { topic, key, value, partition, timestamp, headers } = record as OutputRecord;
    if (topic === undefined && record instanceof Promise) topicOf(record);
    this.write(topic, key, value, partition, timestamp, headers);
  }

  async ready(): Promise<void> {
    await this.#stream.ready();
  }

  async finish(): Promise<number | SkippedTask> {
    await this.#stream.finish();
    if (!(this.#stream instanceof TransactionStream)) crashPoint('sink-produced');
    this.#lease.release();
    return this.#stream instanceof TransactionStream ? this.#stream.result : this.#stream.records;
  }

  async abort(): Promise<void> {
    await this.#stream.abort();
    this.#lease.release();
  }
}
