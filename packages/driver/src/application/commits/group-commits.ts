import { MillraceError } from '@millrace/common';
import { type TopicPartition, type TopicPartitionKey, topicPartitionKey } from '@millrace/kafka';

export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** Offsets that go to Kafka together, and those who wait for them. */
class CommitSet {
  readonly offsets = new Map<TopicPartitionKey, PartitionOffset>();
  readonly #done = Promise.withResolvers<void>();

  constructor() {
    // Whoever does not wait is told by a notice.
    this.#done.promise.catch(() => undefined);
  }

  get promise(): Promise<void> {
    return this.#done.promise;
  }

  /** The highest counts. */
  raise({ topic, partition, offset }: PartitionOffset): void {
    const key = topicPartitionKey({ topic, partition });
    const before = this.offsets.get(key);
    if (before === undefined || before.offset < offset) this.offsets.set(key, { topic, partition, offset });
  }

  resolve(): void {
    this.#done.resolve();
  }

  reject(error: MillraceError): void {
    this.#done.reject(error);
  }
}

/**
 * What one stream commits to its group: held until the batch that it belongs to is committed, then sent, one request at a time. It holds
 * one offset a partition, however many calls there are.
 */
export class GroupCommits {
  readonly #send: (offsets: readonly PartitionOffset[]) => Promise<void>;
  readonly #failed: (error: MillraceError) => void;
  #held = new CommitSet();
  #ready = new CommitSet();
  /** What Kafka has acknowledged in this run. */
  readonly #acknowledged = new Map<TopicPartitionKey, number>();
  #sending: Promise<void> | undefined;
  /** `flush` was called since the last request was begun. */
  #isAsked = false;

  constructor(
    send: (offsets: readonly PartitionOffset[]) => Promise<void>,
    failed: (error: MillraceError) => void,
  ) {
    this.#send = send;
    this.#failed = failed;
  }

  get holdsNothing(): boolean {
    return this.#held.offsets.size === 0;
  }

  /** Waits for `release`. */
  hold(offsets: readonly PartitionOffset[]): Promise<void> {
    return GroupCommits.#add(this.#held, offsets);
  }

  /** Goes out with the next `flush`. */
  commit(offsets: readonly PartitionOffset[]): Promise<void> {
    return GroupCommits.#add(this.#ready, offsets);
  }

  /** Goes out with the next `flush` where Kafka has another offset from this run, or none; also a lower one. */
  mirror(offsets: Iterable<PartitionOffset>): void {
    for (const { topic, partition, offset } of offsets) {
      const key = topicPartitionKey({ topic, partition });
      if (this.#acknowledged.get(key) === offset) continue;
      this.#acknowledged.delete(key);
      this.#ready.offsets.set(key, { topic, partition, offset });
    }
  }

  /** Offsets that Kafka forgets in time are to be sent again. */
  forgetAcknowledged(): void {
    this.#acknowledged.clear();
  }

  /** The batch is committed: what was held for it goes out with the next `flush`. */
  release(): void {
    const held = this.#held;
    this.#held = new CommitSet();
    for (const offset of held.offsets.values()) this.#ready.raise(offset);
    this.#ready.promise.then(
      () => held.resolve(),
      (error: unknown) => held.reject(MillraceError.from(error, 'INTERNAL')),
    );
  }

  /** Its batch has not come to an end. What is still sent is sent: the promises only are given up. */
  rejectHeld(error: MillraceError, { keepOffsets }: { readonly keepOffsets: boolean }): void {
    const held = this.#held;
    this.#held = new CommitSet();
    if (keepOffsets) for (const offset of held.offsets.values()) this.#held.raise(offset);
    held.reject(error);
  }

  /** Sends what is ready, and what becomes so meanwhile. Never rejects. */
  flush(): Promise<void> {
    this.#isAsked = true;
    this.#sending ??= this.#sendAll();
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false;
      await this.#sendReady();
    }
    // In the same turn as the last look: whoever is told of the last request may flush before this goes on.
    this.#sending = undefined;
  }

  async #sendReady(): Promise<void> {
    const ready = this.#ready;
    this.#ready = new CommitSet();
    const offsets = [...ready.offsets.values()].filter(
      (one) => one.offset > (this.#acknowledged.get(topicPartitionKey(one)) ?? -1),
    );
    try {
      if (offsets.length > 0) await this.#send(offsets);
      for (const one of offsets) this.#acknowledged.set(topicPartitionKey(one), one.offset);
      ready.resolve();
    } catch (error) {
      // They go with the next ones: the highest counts.
      for (const one of offsets) this.#ready.raise(one);
      const failure = MillraceError.from(error, 'KAFKA_PROTOCOL');
      ready.reject(failure);
      this.#failed(failure);
    }
  }

  static #add(to: CommitSet, offsets: readonly PartitionOffset[]): Promise<void> {
    for (const offset of offsets) to.raise(offset);
    return to.promise;
  }
}
