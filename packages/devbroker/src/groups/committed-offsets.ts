export interface CommittedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

interface Ordered extends CommittedOffset {
  /** Which commit it was: an older one never replaces a newer one. */
  readonly order: number;
}

/** Offsets by topic and partition. */
class OffsetTable {
  private readonly topics = new Map<string, Map<number, Ordered>>();

  set(topic: string, partition: number, committed: Ordered): void {
    const partitions = this.topics.get(topic) ?? new Map<number, Ordered>();
    partitions.set(partition, committed);
    this.topics.set(topic, partitions);
  }

  get(topic: string, partition: number): Ordered | undefined {
    return this.topics.get(topic)?.get(partition);
  }

  delete(topic: string, partition: number): boolean {
    return this.topics.get(topic)?.delete(partition) ?? false;
  }

  forgetTopic(topic: string): void {
    this.topics.delete(topic);
  }

  all(): ReadonlyArray<{ readonly topic: string; readonly partitions: ReadonlyMap<number, Ordered> }> {
    return [...this.topics]
      .map(([topic, partitions]) => ({ topic, partitions }))
      .filter(({ partitions }) => partitions.size > 0);
  }
}

/** The offsets that one group has committed, and those of transactions that are still open. */
export class CommittedOffsets {
  private readonly committed = new OffsetTable();
  /** By producer id. */
  private readonly pending = new Map<number, OffsetTable>();
  private commits = 0;

  set(topic: string, partition: number, committed: CommittedOffset): void {
    this.committed.set(topic, partition, { ...committed, order: this.commits++ });
  }

  /** Counts from when the producer's transaction is committed. */
  setPending(producerId: number, topic: string, partition: number, committed: CommittedOffset): void {
    const table = this.pending.get(producerId) ?? new OffsetTable();
    table.set(topic, partition, { ...committed, order: this.commits++ });
    this.pending.set(producerId, table);
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.committed.get(topic, partition);
  }

  /** Whether an open transaction may still change the offset. */
  isPending(topic: string, partition: number): boolean {
    return [...this.pending.values()].some((table) => table.get(topic, partition) !== undefined);
  }

  endTransaction(producerId: number, commit: boolean): void {
    const table = this.pending.get(producerId);
    this.pending.delete(producerId);
    if (table === undefined || !commit) return;
    for (const { topic, partitions } of table.all()) {
      for (const [partition, offset] of partitions) {
        const newer = (this.committed.get(topic, partition)?.order ?? -1) < offset.order;
        if (newer) this.committed.set(topic, partition, offset);
      }
    }
  }

  /** False when there was none. */
  delete(topic: string, partition: number): boolean {
    return this.committed.delete(topic, partition);
  }

  forgetTopic(topic: string): void {
    this.committed.forgetTopic(topic);
    for (const table of this.pending.values()) table.forgetTopic(topic);
  }

  all(): ReadonlyArray<{ readonly topic: string; readonly partitions: readonly number[] }> {
    return this.committed
      .all()
      .map(({ topic, partitions }) => ({ topic, partitions: [...partitions.keys()] }));
  }
}
