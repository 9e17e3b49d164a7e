import { type ProducerIdentity, SEQUENCES } from '../produce/producer-sequences.ts';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '../topic-partition.ts';

/** What a producer knows between two inits: who it is, the numbers of its batches, and what its open transaction has. */
export class TransactionAttempt {
  readonly identity: ProducerIdentity;
  readonly #sequences = new Map<TopicPartitionKey, number>();
  readonly #partitions = new Set<TopicPartitionKey>();
  readonly #groups = new Set<string>();

  constructor(identity: ProducerIdentity) {
    this.identity = identity;
  }

  /** Whether the coordinator has not heard of the transaction. */
  get isEmpty(): boolean {
    return this.#partitions.size === 0 && this.#groups.size === 0;
  }

  has(tp: TopicPartition): boolean {
    return this.#partitions.has(topicPartitionKey(tp));
  }

  added(partitions: readonly TopicPartition[]): void {
    for (const tp of partitions) this.#partitions.add(topicPartitionKey(tp));
  }

  hasGroup(groupId: string): boolean {
    return this.#groups.has(groupId);
  }

  addedGroup(groupId: string): void {
    this.#groups.add(groupId);
  }

  /** The number of the next record of a partition. They go on over transactions, until an init. */
  sequence(tp: TopicPartition): number {
    return this.#sequences.get(topicPartitionKey(tp)) ?? 0;
  }

  written(tp: TopicPartition, records: number): void {
    this.#sequences.set(topicPartitionKey(tp), (this.sequence(tp) + records) % SEQUENCES);
  }

  /** The transaction has ended. */
  ended(): void {
    this.#partitions.clear();
    this.#groups.clear();
  }
}
