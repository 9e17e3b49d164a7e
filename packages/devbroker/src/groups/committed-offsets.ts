export interface CommittedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

/** The offsets that one group has committed, by topic and partition. */
export class CommittedOffsets {
  private readonly topics = new Map<string, Map<number, CommittedOffset>>();

  set(topic: string, partition: number, committed: CommittedOffset): void {
    const partitions = this.topics.get(topic) ?? new Map<number, CommittedOffset>();
    partitions.set(partition, committed);
    this.topics.set(topic, partitions);
  }

  get(topic: string, partition: number): CommittedOffset | undefined {
    return this.topics.get(topic)?.get(partition);
  }

  /** False when there was none. */
  delete(topic: string, partition: number): boolean {
    return this.topics.get(topic)?.delete(partition) ?? false;
  }

  forgetTopic(topic: string): void {
    this.topics.delete(topic);
  }

  all(): ReadonlyArray<{ readonly topic: string; readonly partitions: readonly number[] }> {
    return [...this.topics]
      .map(([topic, partitions]) => ({ topic, partitions: [...partitions.keys()] }))
      .filter(({ partitions }) => partitions.length > 0);
  }
}
