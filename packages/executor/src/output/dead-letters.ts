import { deserialize } from 'node:v8';
import { type DeadLetterSettings, type TaskContextData, taskAccumulator } from '@millrace/api/internal';
import { MillraceError } from '@millrace/common';
import type { OffsetRange, RecordStream } from '@millrace/kafka';
import type { KafkaSourceMessage } from '@millrace/proto/task';
import { KafkaRow } from '../pipeline/kafka-row.ts';
import type { ProducerCache, ProducerLease } from './producer-cache.ts';

const DELIVERY_TIMEOUT_MS = 120_000;
const BUFFER_BYTES_MAX = 8 * 1024 * 1024;
/** Characters of a message: some decoders quote all that they were given. */
const MESSAGE_MAX = 1_000;

type Header = readonly [string, string | Uint8Array | null];

interface Reading {
  readonly readId: string;
  readonly topic: string;
  readonly partition: number;
  readonly fromOffset: number;
  /** All before it has been looked at. */
  untilOffset: number;
}

interface Writing {
  readonly lease: ProducerLease;
  readonly stream: RecordStream;
}

/** What one source of a task reads, and which of it does not decode. */
export interface DeadLetterReading {
  /** False: a task before this one has written it. @throws MillraceError RECORD_TOO_LARGE, CONFIG_INVALID. */
  write(row: KafkaRow, error: MillraceError): boolean;
  /** All before this offset has been looked at. */
  readUntil(offset: number): void;
}

/**
 * The records of one task that do not decode, on their way to a topic: key, value, headers and timestamp as they were read, and headers that say why, and
 * where they were. The task succeeds when they are acknowledged.
 */
export class DeadLetters {
  readonly #task: TaskContextData;
  readonly #producers: ProducerCache;
  /** By options of the client. */
  readonly #writing = new Map<string, Writing>();
  readonly #readings: Reading[] = [];
  /** The topic that was written to last, and its largest record: what a broker that refuses one does not tell. */
  #last = { topic: '', bytes: -1, at: '' };

  constructor(task: TaskContextData, producers: ProducerCache) {
    this.#task = task;
    this.#producers = producers;
  }

  /** `source`: one that has dead letters. */
  reading(source: KafkaSourceMessage, range: OffsetRange): DeadLetterReading {
    const { topic, readId, read } = deserialize(source.deadLetters ?? new Uint8Array()) as DeadLetterSettings;
    const { fromOffset, partition } = range;
    const own: Reading = { readId, topic: range.topic, partition, fromOffset, untilOffset: fromOffset };
    const before = [...read, ...this.#readings.filter((other) => other.readId === readId)].filter(
      (one) => one.topic === own.topic && one.partition === partition,
    );
    this.#readings.push(own);
    return {
      write: (row, error) => {
        const { offset } = row;
        if (before.some((one) => offset >= one.fromOffset && offset < one.untilOffset)) return false;
        this.#write(source.clientJson, topic, row, error);
        return true;
      },
      readUntil: (offset) => {
        own.untilOffset = Math.max(own.untilOffset, offset);
      },
    };
  }

  get isFull(): boolean {
    for (const { stream } of this.#writing.values()) if (stream.isFull) return true;
    return false;
  }

  /** Until there is room for more. @throws what could not be written. */
  async ready(): Promise<void> {
    await this.#each((stream) => stream.ready());
  }

  /** All are acknowledged; what the task has read is told with its accumulators. @throws what could not be written. */
  async finish(): Promise<void> {
    await this.#each((stream) => stream.finish());
    for (const { lease } of this.#writing.values()) lease.release();
    for (const { readId, ...read } of this.#readings)
      if (read.untilOffset > read.fromOffset)
        taskAccumulator(readId, () => this.#task.accumulators).add(read);
  }

  /** Never throws. */
  async abort(): Promise<void> {
    for (const { stream, lease } of this.#writing.values()) {
      await stream.abort();
      lease.release();
    }
  }

  async #each(work: (stream: RecordStream) => Promise<void>): Promise<void> {
    try {
      for (const { stream } of this.#writing.values()) await work(stream);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  #write(clientJson: string, topic: string, row: KafkaRow, error: MillraceError): void {
    // A topic that it reads may have been added since the start.
    if (row.topic === topic)
      throw new MillraceError('CONFIG_INVALID', `"${topic}" is read, and is its own dead-letter topic`, {
        remedy: 'Give onDecodeError a topic that the stream does not read.',
        details: { topic },
      });
    const key = KafkaRow.raw(row, 'key');
    const value = KafkaRow.raw(row, 'value');
    const bytes = (key?.length ?? 0) + (value?.length ?? 0);
    if (bytes > this.#last.bytes || topic !== this.#last.topic)
      this.#last = { topic, bytes, at: `offset ${row.offset} of ${row.topic}-${row.partition}` };
    try {
      const { stream } = this.#open(clientJson);
      // -1: it has none; nor does a producer take what is no time: nanoseconds, where milliseconds should be.
      stream.append(
        topic,
        key,
        value,
        undefined,
        row.timestamp >= 0 && Number.isSafeInteger(row.timestamp) ? row.timestamp : undefined,
        this.#headers(row, error),
      );
    } catch (failure) {
      throw this.#failed(failure);
    }
  }

  #open(clientJson: string): Writing {
    const known = this.#writing.get(clientJson);
    if (known) return known;
    const { application, epoch, partitionId, signal } = this.#task;
    const lease = this.#producers.lease(clientJson, application, epoch);
    const stream = lease.producer.stream({
      acks: -1,
      deliveryTimeoutMs: DELIVERY_TIMEOUT_MS,
      bufferBytesMax: BUFFER_BYTES_MAX,
      firstPartition: partitionId,
      signal,
    });
    const writing = { lease, stream };
    this.#writing.set(clientJson, writing);
    return writing;
  }

  /** As Kafka Connect's dead letters: its own, then where and why. Of one name, the last one counts. */
  #headers(row: KafkaRow, error: MillraceError): Header[] {
    const { application, batchTime } = this.#task;
    const { topic, partition, offset, timestamp } = row;
    const context: Readonly<Record<string, string>> = {
      'error.code': error.code,
      'error.part': String(error.details['what']),
      'error.message': error.what.slice(0, MESSAGE_MAX),
      application,
      topic,
      partition: String(partition),
      offset: String(offset),
      timestamp: String(timestamp),
      'batch-time': String(batchTime),
    };
    return [
      // Views of a fetch whose memory is used again.
      ...row.headers.map(([name, value]): Header => [name, value && Buffer.from(value)]),
      ...Object.entries(context).map(([name, value]): Header => [`millrace.${name}`, value]),
    ];
  }

  #failed(error: unknown): unknown {
    if (!MillraceError.is(error) || error.code === 'CANCELLED') return error;
    const { topic, bytes, at } = this.#last;
    const isLarge = error.code === 'RECORD_TOO_LARGE';
    const largest = isLarge ? ` (the largest is of ${bytes} bytes, at ${at})` : '';
    return new MillraceError(
      error.code,
      `dead letters could not be written to topic "${topic}"${largest}: ${error.what}`,
      {
        remedy: isLarge
          ? `Raise max.message.bytes of "${topic}", which must hold the largest record and 2 KiB of headers, and produceBatchBytesMax of the stream; or step over the record with millrace offsets set.`
          : error.remedy,
        details: { ...error.details, topic },
        retryable: error.retryable,
        cause: error,
      },
    );
  }
}
