import { type Clock, MillraceError, messageOf, type Timer } from '@millrace/common';
import type { KafkaClient, KafkaProducer } from '@millrace/kafka';

export interface ProducerCacheOptions {
  /** A client; it connects when it is first used. */
  readonly connect: (options: unknown) => KafkaClient;
  readonly clock: Clock;
  /** Clients that are kept beside those in use. */
  readonly clientsMax?: number;
  /** What was not used for so long is closed. */
  readonly idleMs?: number;
}

/** A producer on loan. */
export interface ProducerLease {
  /** For transactions. */
  readonly client: KafkaClient;
  readonly producer: KafkaProducer;
  release(): void;
}

interface CachedClient {
  readonly client: KafkaClient;
  /** Applications that wrote with it, and their last epoch. */
  readonly users: Map<string, number>;
  inUse: number;
  usedAt: number;
}

/**
 * Kafka clients that write, of one slot: one for each set of client options, however many partitions, batches and outputs write with it. A client
 * has at most two connections to each broker.
 */
export class ProducerCache {
  readonly #options: Required<ProducerCacheOptions>;
  /** Least recently used first. */
  readonly #clients = new Map<string, CachedClient>();
  #sweep: Timer | undefined;

  constructor(options: ProducerCacheOptions) {
    this.#options = { clientsMax: 8, idleMs: 600_000, ...options };
  }

  /** Clients that are kept now. */
  get size(): number {
    return this.#clients.size;
  }

  /** @throws MillraceError INTERNAL when the options are no JSON. */
  lease(clientJson: string, application: string, epoch: number): ProducerLease {
    const known = this.#clients.get(clientJson);
    const entry = known ?? {
      client: this.#options.connect(parsed(clientJson)),
      users: new Map<string, number>(),
      inUse: 0,
      usedAt: 0,
    };
    this.#clients.delete(clientJson);
    this.#clients.set(clientJson, entry);
    entry.users.set(application, Math.max(epoch, entry.users.get(application) ?? 0));
    entry.inUse += 1;
    this.#evict();
    let isReleased = false;
    return {
      client: entry.client,
      producer: entry.client.producer(),
      release: () => {
        if (isReleased) return;
        isReleased = true;
        entry.inUse -= 1;
        entry.usedAt = this.#options.clock.monotonic();
        if (entry.users.size === 0) this.#drop(clientJson, entry);
        this.#evict();
        this.#scheduleSweep();
      },
    };
  }

  /** Clients that only older epochs of an application wrote with are closed. */
  dropApplication(application: string, belowEpoch: number): void {
    for (const [key, entry] of this.#clients) {
      const epoch = entry.users.get(application);
      if (epoch === undefined || epoch >= belowEpoch) continue;
      entry.users.delete(application);
      if (entry.users.size === 0) this.#drop(key, entry);
    }
  }

  /** Closes everything. No task may run. */
  async close(): Promise<void> {
    this.#sweep?.cancel();
    const clients = [...this.#clients.values()];
    this.#clients.clear();
    await Promise.allSettled(clients.map(({ client }) => client.close()));
  }

  /** What is in use is closed when it is given back. */
  #drop(key: string, entry: CachedClient): void {
    if (entry.inUse > 0) return;
    if (this.#clients.get(key) === entry) this.#clients.delete(key);
    // Nobody waits for it, and nobody could do anything about a failure.
    void entry.client.close().catch(() => undefined);
  }

  #evict(): void {
    for (const [key, entry] of this.#clients) {
      if (this.#clients.size <= this.#options.clientsMax) break;
      this.#drop(key, entry);
    }
  }

  /** One timer while anything is kept: a slot without tasks must let go of connections, too. */
  #scheduleSweep(): void {
    const { clock, idleMs } = this.#options;
    if (this.#sweep || this.#clients.size === 0) return;
    this.#sweep = clock.schedule(
      idleMs,
      () => {
        this.#sweep = undefined;
        const now = clock.monotonic();
        for (const [key, entry] of this.#clients) if (now - entry.usedAt >= idleMs) this.#drop(key, entry);
        this.#scheduleSweep();
      },
      { unref: true },
    );
  }
}

function parsed(clientJson: string): unknown {
  try {
    return JSON.parse(clientJson);
  } catch (error) {
    throw new MillraceError('INTERNAL', `the Kafka options of a sink are no JSON: ${messageOf(error)}`);
  }
}
