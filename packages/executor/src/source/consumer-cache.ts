import { type Clock, MillraceError, messageOf, type Timer } from '@millrace/common';
import {
  type KafkaClient,
  type OffsetRange,
  type PartitionReader,
  type TopicPartitionKey,
  topicPartitionKey,
} from '@millrace/kafka';
import type { KafkaSourceMessage } from '@millrace/proto/task';

export interface ConsumerCacheOptions {
  /** A client; it connects when it is first used. */
  readonly connect: (options: unknown) => KafkaClient;
  readonly clock: Clock;
  /** Readers that are kept. Spark's spark.streaming.kafka.consumer.cache.maxCapacity: 64. */
  readonly readersMax?: number;
  /** Clients (each with its connections) that are kept. */
  readonly clientsMax?: number;
  /** What was not used for so long is closed. */
  readonly idleMs?: number;
}

/** A reader on loan. */
export interface ConsumerLease {
  readonly reader: PartitionReader;
  /** It was open before. */
  readonly cached: boolean;
  /** Gives it back; one that did not serve well is closed. */
  release(isHealthy: boolean): void;
}

interface CachedReader {
  readonly reader: PartitionReader;
  readonly client: CachedClient;
  readonly topicPartition: TopicPartitionKey;
  readonly topicId: string | undefined;
  inUse: boolean;
  usedAt: number;
}

interface CachedClient {
  readonly client: KafkaClient;
  /** Readers that are open on it, cached or not. */
  readers: number;
  usedAt: number;
}

/** Cached consumers of one slot: a partition that comes back to its slot finds its reader (and connection) open. */
export class ConsumerCache {
  readonly #options: Required<ConsumerCacheOptions>;
  /** Least recently used first. */
  readonly #readers = new Map<string, CachedReader>();
  readonly #clients = new Map<string, CachedClient>();
  #sweep: Timer | undefined;

  constructor(options: ConsumerCacheOptions) {
    this.#options = { readersMax: 64, clientsMax: 8, idleMs: 600_000, ...options };
  }

  /** Readers that are kept now. */
  get size(): number {
    return this.#readers.size;
  }

  /**
   * A reader for a range: the cached one, unless it is in use or this is a retry (the attempt before may have broken it).
   * @throws MillraceError INTERNAL when the client's options are no JSON.
   */
  lease(source: KafkaSourceMessage, range: OffsetRange, attempt: number): ConsumerLease {
    const key = `${source.clientJson}\n${source.groupId}\n${source.isolation}\n${range.topicId ?? ''}\n${range.topic}-${range.partition}`;
    const known = this.#readers.get(key);
    if (known && !known.inUse && attempt === 0) return this.#lend(key, known, true);
    if (known && !known.inUse) this.#drop(key, known);
    const client = this.#client(source.clientJson);
    const reader = client.client.reader(
      { topic: range.topic, partition: range.partition },
      { isolation: source.isolation, ...(range.topicId === undefined ? {} : { topicId: range.topicId }) },
    );
    client.readers++;
    const made: CachedReader = {
      reader,
      client,
      topicPartition: topicPartitionKey(range),
      topicId: range.topicId,
      inUse: true,
      usedAt: this.#options.clock.monotonic(),
    };
    if (attempt > 0 || this.#readers.has(key)) return this.#lendOnce(made);
    this.#readers.set(key, made);
    this.#evict();
    return this.#lend(key, made, false);
  }

  /** Begins to fetch a range for a task that is expected, where a consumer of its partition is cached and at rest. */
  prefetch(range: OffsetRange): void {
    for (const { reader, topicPartition, topicId, inUse } of this.#readers.values()) {
      if (inUse || topicId !== range.topicId || topicPartition !== topicPartitionKey(range)) continue;
      reader.prefetch(range);
    }
  }

  /** Closes everything that is not on loan. */
  async close(): Promise<void> {
    this.#sweep?.cancel();
    for (const [key, reader] of this.#readers) if (!reader.inUse) this.#drop(key, reader);
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.allSettled(clients.map(({ client }) => client.close()));
  }

  #lend(key: string, entry: CachedReader, cached: boolean): ConsumerLease {
    entry.inUse = true;
    this.#readers.delete(key);
    this.#readers.set(key, entry);
    return {
      reader: entry.reader,
      cached,
      release: (isHealthy) => {
        entry.inUse = false;
        entry.usedAt = this.#options.clock.monotonic();
        entry.client.usedAt = entry.usedAt;
        if (!isHealthy) this.#drop(key, entry);
        this.#evict();
        this.#scheduleSweep();
      },
    };
  }

  #lendOnce(entry: CachedReader): ConsumerLease {
    return {
      reader: entry.reader,
      cached: false,
      release: () => {
        this.#close(entry);
        this.#scheduleSweep();
      },
    };
  }

  #drop(key: string, entry: CachedReader): void {
    if (this.#readers.get(key) === entry) this.#readers.delete(key);
    this.#close(entry);
  }

  #close(entry: CachedReader): void {
    entry.client.readers--;
    entry.client.usedAt = this.#options.clock.monotonic();
    // Nobody waits for it, and nobody could do anything about a failure.
    void entry.reader.close().catch(() => undefined);
  }

  #client(clientJson: string): CachedClient {
    const known = this.#clients.get(clientJson);
    const made = known ?? { client: this.#options.connect(parseOptions(clientJson)), readers: 0, usedAt: 0 };
    made.usedAt = this.#options.clock.monotonic();
    this.#clients.set(clientJson, made);
    if (!known) this.#closeClients(made);
    return made;
  }

  #evict(): void {
    for (const [key, entry] of this.#readers) {
      if (this.#readers.size <= this.#options.readersMax) break;
      if (!entry.inUse) this.#drop(key, entry);
    }
  }

  /** Clients without readers: while there are too many, and those that were idle for long. */
  #closeClients(spared?: CachedClient): void {
    const now = this.#options.clock.monotonic();
    const idle = [...this.#clients].filter(([, entry]) => entry.readers === 0 && entry !== spared);
    for (const [key, entry] of idle.toSorted(([, a], [, b]) => a.usedAt - b.usedAt)) {
      const isOld = now - entry.usedAt >= this.#options.idleMs;
      if (!isOld && this.#clients.size <= this.#options.clientsMax) continue;
      this.#clients.delete(key);
      void entry.client.close().catch(() => undefined);
    }
  }

  /** One timer while anything is kept: a slot without tasks must let go of connections, too. */
  #scheduleSweep(): void {
    const { clock, idleMs } = this.#options;
    if (this.#sweep || (this.#readers.size === 0 && this.#clients.size === 0)) return;
    this.#sweep = clock.schedule(
      idleMs,
      () => {
        this.#sweep = undefined;
        const now = clock.monotonic();
        for (const [key, entry] of this.#readers)
          if (!entry.inUse && now - entry.usedAt >= idleMs) this.#drop(key, entry);
        this.#closeClients();
        this.#scheduleSweep();
      },
      { unref: true },
    );
  }
}

function parseOptions(clientJson: string): unknown {
  try {
    return JSON.parse(clientJson);
  } catch (error) {
    throw new MillraceError('INTERNAL', `the Kafka options of the stage are no JSON: ${messageOf(error)}`);
  }
}
