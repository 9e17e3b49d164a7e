import type { TopicPartitionKey } from '../topic-partition.ts';

/** What Kafka calls an idempotent producer. */
export interface ProducerIdentity {
  readonly id: bigint;
  readonly epoch: number;
}

interface PartitionSequence {
  readonly identity: ProducerIdentity;
  next: number;
}

/** Numbers go from 0 up to this, and begin anew. Exclusive. */
export const SEQUENCES = 2 ** 31;
const PARTITIONS_MAX = 10_000;

/**
 * Numbers the batches of each partition, so that the broker writes one that is sent again only once (KIP-98). A partition whose numbers
 * are in doubt goes on under a new identity, without a disturbance of the others.
 */
export class ProducerSequences {
  private readonly newIdentity: () => Promise<ProducerIdentity>;
  /** For partitions that are written for the first time. */
  private identity: Promise<ProducerIdentity> | undefined;
  private readonly partitions = new Map<TopicPartitionKey, PartitionSequence>();

  constructor(newIdentity: () => Promise<ProducerIdentity>) {
    this.newIdentity = newIdentity;
  }

  /** Who writes the next batch of a partition, and the number of its first record. The same until `written` or `forget`. */
  async next(key: TopicPartitionKey): Promise<ProducerIdentity & { readonly sequence: number }> {
    let partition = this.partitions.get(key);
    if (partition === undefined) {
      // Not one that is forgotten: under its old identity it would begin again with numbers that were used.
      if (this.partitions.size >= PARTITIONS_MAX) this.forgetAll();
      partition = { identity: await this.current(), next: 0 };
      this.partitions.set(key, partition);
    }
    return { ...partition.identity, sequence: partition.next };
  }

  written(key: TopicPartitionKey, records: number): void {
    const partition = this.partitions.get(key);
    if (partition !== undefined) partition.next = (partition.next + records) % SEQUENCES;
  }

  /** Nobody knows what the broker wrote last, or it does not remember it. */
  forget(key: TopicPartitionKey): void {
    if (this.partitions.delete(key)) this.identity = undefined;
  }

  private forgetAll(): void {
    this.partitions.clear();
    this.identity = undefined;
  }

  private async current(): Promise<ProducerIdentity> {
    this.identity ??= this.newIdentity();
    const asked = this.identity;
    try {
      return await asked;
    } catch (error) {
      if (this.identity === asked) this.identity = undefined;
      throw error;
    }
  }
}
