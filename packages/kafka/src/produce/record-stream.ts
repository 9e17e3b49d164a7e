import { setImmediate as endOfTurn } from 'node:timers/promises';
import { type Clock, MillraceError } from '@millrace/common';
import { type ClusterMetadata, unknownPartition } from '../cluster-metadata.ts';
import type { Compression, ProducedRange, ProduceRecord } from '../kafka-port.ts';
import type { Retrier } from '../retrier.ts';
import type { TopicPartition } from '../topic-partition.ts';
import { BatchBuilder, roomFor } from './batch-builder.ts';
import type { WriteOptions } from './batch-writer.ts';
import { partitionOfKey } from './partitioner.ts';
import { checkedBytes } from './record-accumulator.ts';
import type { WritableBatch } from './writable-batch.ts';

type Bytes = string | Uint8Array | null;
type Headers = NonNullable<ProduceRecord['headers']>;

/** The partition of a record that names none; the key as it is written. */
export type PartitionOf = (key: string | Uint8Array | null, partitions: number) => number;

export interface RecordStreamOptions {
  /** Default: the client's. */
  readonly acks?: -1 | 0 | 1;
  /** Default: the client's. */
  readonly compression?: Compression;
  /** Until when a batch must be acknowledged, retries included; no broker is met with patience, too. */
  readonly deliveryTimeoutMs: number;
  readonly retriesMax?: number;
  /** Bytes of records that are not acknowledged yet: above it the stream is full. */
  readonly bufferBytesMax: number;
  /** How long a record may wait for its batch to fill, when somebody asks `ready` meanwhile. Default: until the end. */
  readonly lingerMs?: number;
  /** Where records without a key begin; then each batch of them goes to the next partition. */
  readonly firstPartition: number;
  /** Default: by key, as Java's producer. */
  readonly partitioner?: PartitionOf;
  /** Aborted: nothing more is sent. */
  readonly signal?: AbortSignal;
}

export interface RecordStreamContext {
  readonly metadata: Pick<ClusterMetadata, 'topic' | 'refresh'>;
  readonly retrier: Pick<Retrier, 'run'>;
  readonly clock: Clock;
  readonly batchBytesMax: number;
  readonly batchRecordsMax: number;
  /** Behind what was written to the same partition before. */
  readonly write: (
    tp: TopicPartition,
    batch: WritableBatch,
    options: WriteOptions,
  ) => Promise<readonly ProducedRange[]>;
}

interface Topic {
  readonly name: string;
  /** 0: not known yet. */
  partitions: number;
  /** By partition. */
  readonly open: (BatchBuilder | undefined)[];
  /** Of records without a key. */
  sticky: number;
  /** Records that wait until the partitions are known, or known anew. */
  waiting: Parameters<RecordStream['append']>[];
}

/**
 * Records on their way to Kafka: each is encoded into the open batch of its partition when it comes; batches that are full are written in
 * the background, one in flight a partition, so that their order is kept over retries. Whoever appends stops when `isFull` and awaits `ready()`.
 * After a failure nothing more is written.
 */
export class RecordStream {
  /** Append no more before `ready()` has resolved. */
  isFull = false;
  /** Acknowledged. */
  records = 0;
  readonly #context: RecordStreamContext;
  readonly #options: RecordStreamOptions;
  readonly #write: WriteOptions;
  readonly #topics = new Map<string, Topic>();
  #lastTopic: Topic | undefined;
  /** Of batches that are on their way. */
  #sentBytes = 0;
  /** About, of open batches. */
  #openBytes = 0;
  #flights = 0;
  #failure: { readonly error: unknown } | undefined;
  #progress = Promise.withResolvers<void>();
  readonly #stopped = new AbortController();
  #now: number;
  #oldest: number | undefined;

  constructor(
    context: RecordStreamContext,
    options: RecordStreamOptions & Pick<Required<RecordStreamOptions>, 'acks' | 'compression'>,
  ) {
    const { acks, compression, deliveryTimeoutMs, retriesMax, signal } = options;
    this.#context = context;
    this.#options = options;
    this.#write = {
      acks,
      compression,
      deliveryTimeoutMs,
      ...(retriesMax !== undefined && { retriesMax }),
      signal: signal ? AbortSignal.any([signal, this.#stopped.signal]) : this.#stopped.signal,
      // What waits behind it would come before it when it is written again.
      onFailure: (error) => this.#fail(error),
    };
    this.#now = context.clock.now();
  }

  /**
   * `partition` undefined: by key, or else sticky. `timestamp` (ms) undefined: now.
   * @throws MillraceError RECORD_TOO_LARGE, UNKNOWN_PARTITION, BAD_REQUEST.
   */
  append(
    topic: string,
    key: Bytes,
    value: Bytes,
    partition: number | undefined,
    timestamp: number | undefined,
    headers: Headers,
  ): void {
    const to = this.#lastTopic?.name === topic ? this.#lastTopic : this.#topic(topic);
    const known = to.partitions;
    if (known === 0 || (partition !== undefined && partition >= known)) {
      to.waiting.push([topic, copied(key), copied(value), partition, timestamp, headers]);
      this.isFull = true;
      return;
    }
    this.#append(to, key, value, partition, timestamp, headers);
  }

  /** Until there is room for more. @throws what a batch failed with. */
  async ready(): Promise<void> {
    this.#throwIfFailed();
    for (const topic of this.#topics.values()) if (topic.waiting.length > 0) await this.#resolve(topic);
    this.#now = this.#context.clock.now();
    const { bufferBytesMax, lingerMs } = this.#options;
    const isOld = lingerMs !== undefined && this.#now - (this.#oldest ?? this.#now) >= lingerMs;
    if (isOld || this.#openBytes + this.#sentBytes > bufferBytesMax) this.#sendOpen();
    if (this.#sentBytes > bufferBytesMax) {
      while (this.#sentBytes > bufferBytesMax / 2) {
        await this.#progress.promise;
        this.#throwIfFailed();
      }
    } else {
      // Sockets have their turn.
      await endOfTurn();
      this.#throwIfFailed();
    }
    this.isFull = false;
  }

  /** Writes what is open and waits until all has been acknowledged. @throws what a batch failed with. */
  async finish(): Promise<void> {
    await this.ready();
    this.#sendOpen();
    while (this.#flights > 0 && this.#failure === undefined) await this.#progress.promise;
    this.#throwIfFailed();
  }

  /**
   * Nothing more is written, but for what is on its way already: that is awaited, unless the stream's signal is aborted.
   * Never throws.
   */
  async abort(): Promise<void> {
    this.#stopped.abort(new MillraceError('CANCELLED', 'the records are not sent any more'));
    while (this.#flights > 0 && this.#options.signal?.aborted !== true) await this.#progress.promise;
  }

  #topic(name: string): Topic {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = { name, partitions: 0, open: [], sticky: 0, waiting: [] };
      this.#topics.set(name, topic);
    }
    this.#lastTopic = topic;
    return topic;
  }

  #append(
    to: Topic,
    key: Bytes,
    value: Bytes,
    given: number | undefined,
    timestamp: number | undefined,
    headers: Headers,
  ): void {
    const { batchBytesMax, batchRecordsMax } = this.#context;
    const room = roomFor(key, value, headers);
    if (room > batchBytesMax) checkedBytes(to.name, { key, value, headers }, batchBytesMax);
    if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= 0))
      checkedBytes(to.name, { value: null, timestamp }, batchBytesMax);
    const partition = given ?? this.#partitionOf(to, key);
    if (!(Number.isInteger(partition) && partition >= 0 && partition < to.partitions))
      throw unknownPartition({ topic: to.name, partition }, to.partitions);
    let batch = to.open[partition];
    if (batch !== undefined && (batch.bytes + room > batchBytesMax || batch.records >= batchRecordsMax)) {
      this.#send(to, partition, batch);
      batch = undefined;
    }
    const at = timestamp ?? this.#now;
    if (batch === undefined) {
      batch = new BatchBuilder(at, batchBytesMax);
      to.open[partition] = batch;
      this.#oldest ??= this.#now;
    }
    const before = batch.records === 0 ? 0 : batch.bytes;
    batch.append(key, value, at, headers, room);
    this.#openBytes += batch.bytes - before;
    if (this.#openBytes + this.#sentBytes > this.#options.bufferBytesMax) this.isFull = true;
  }

  #partitionOf(to: Topic, key: Bytes): number {
    const { partitioner } = this.#options;
    if (partitioner !== undefined) return partitioner(key, to.partitions);
    return key === null ? to.sticky : partitionOfKey(key, to.partitions);
  }

  #send(to: Topic, partition: number, batch: BatchBuilder): void {
    to.open[partition] = undefined;
    if (partition === to.sticky) to.sticky = (to.sticky + 1) % to.partitions;
    // Its memory goes on to be held, but it is not open any more.
    const { bytes } = batch;
    this.#openBytes -= bytes;
    this.#sentBytes += bytes;
    this.#flights += 1;
    // Who appends lets go, so that it leaves.
    this.isFull = true;
    void this.#flight({ topic: to.name, partition }, batch, bytes);
  }

  /** Never rejects. */
  async #flight(tp: TopicPartition, batch: BatchBuilder, bytes: number): Promise<void> {
    try {
      await this.#context.write(tp, batch, this.#write);
      this.records += batch.records;
    } catch (error) {
      this.#fail(error);
    }
    this.#sentBytes -= bytes;
    this.#flights -= 1;
    const progress = this.#progress;
    this.#progress = Promise.withResolvers();
    progress.resolve();
  }

  #sendOpen(): void {
    this.#oldest = undefined;
    for (const topic of this.#topics.values()) {
      for (const [partition, batch] of topic.open.entries())
        if (batch !== undefined) this.#send(topic, partition, batch);
    }
  }

  /** Asks for the partitions of a topic, and takes the records that waited for that. */
  async #resolve(to: Topic): Promise<void> {
    const { metadata, retrier } = this.#context;
    const { deliveryTimeoutMs, firstPartition, signal } = this.#options;
    const isFirst = to.partitions === 0;
    const { partitions } = await retrier.run(
      deliveryTimeoutMs,
      // A partition may be new: look with fresh eyes before saying that it does not exist.
      async () => (isFirst ? metadata.topic(to.name) : metadata.refresh(to.name)),
      { isPatient: true, ...(signal && { signal }) },
    );
    to.partitions = partitions.length;
    if (isFirst) to.sticky = firstPartition % partitions.length;
    const { waiting } = to;
    to.waiting = [];
    for (const [, key, value, partition, timestamp, headers] of waiting) {
      // What metadata in the cache do not know may be new.
      if (isFirst && partition !== undefined && partition >= to.partitions)
        to.waiting.push([to.name, key, value, partition, timestamp, headers]);
      else this.#append(to, key, value, partition, timestamp, headers);
    }
    if (to.waiting.length > 0) await this.#resolve(to);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stopped.abort(error);
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    this.#write.signal?.throwIfAborted();
  }
}

/** What waits outlives the turn, and the bytes may be a view of memory that is used again. */
function copied(bytes: Bytes): Bytes {
  return bytes === null || typeof bytes === 'string' ? bytes : Buffer.from(bytes);
}
