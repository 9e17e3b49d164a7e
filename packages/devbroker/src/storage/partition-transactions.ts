/** What a batch means to the transactions of its partition. */
export type BatchKind = 'plain' | 'transactional' | 'commit' | 'abort';

interface TransactionalBatch {
  readonly kind: BatchKind;
  readonly producerId: number;
  readonly baseOffset: number;
}

export interface AbortedRange {
  readonly producerId: number;
  readonly firstOffset: number;
  /** Of the abort marker. */
  readonly lastOffset: number;
}

/** Which offsets of a partition belong to transactions that are open or were aborted (ProducerStateManager, TransactionIndex). */
export class PartitionTransactions {
  /** First offsets, by producer. */
  private readonly open = new Map<number, number>();
  /** In order of their markers. */
  private aborted: AbortedRange[] = [];

  appended({ kind, producerId, baseOffset }: TransactionalBatch): void {
    if (kind === 'plain') return;
    const firstOffset = this.open.get(producerId);
    if (kind === 'transactional') {
      if (firstOffset === undefined) this.open.set(producerId, baseOffset);
      return;
    }
    this.open.delete(producerId);
    if (kind === 'abort' && firstOffset !== undefined) {
      this.aborted.push({ producerId, firstOffset, lastOffset: baseOffset });
    }
  }

  /** Where the producer's open transaction begins; −1: none is open. */
  openSince(producerId: number): number {
    return this.open.get(producerId) ?? -1;
  }

  /** Exclusive: below it every transaction is decided. */
  lastStableOffset(logEndOffset: number): number {
    let stable = logEndOffset;
    for (const firstOffset of this.open.values()) stable = Math.min(stable, firstOffset);
    return stable;
  }

  /** The aborted transactions with records in [fromOffset, untilOffset). */
  abortedIn(fromOffset: number, untilOffset: number): readonly AbortedRange[] {
    return this.aborted.filter(
      ({ firstOffset, lastOffset }) => lastOffset >= fromOffset && firstOffset < untilOffset,
    );
  }

  dropBefore(logStartOffset: number): void {
    const [oldest] = this.aborted;
    if (oldest === undefined || oldest.lastOffset >= logStartOffset) return;
    this.aborted = this.aborted.filter(({ lastOffset }) => lastOffset >= logStartOffset);
  }

  /** After a truncation: from the batches that are left. */
  rebuild(batches: readonly TransactionalBatch[]): void {
    this.open.clear();
    this.aborted = [];
    for (const batch of batches) this.appended(batch);
  }
}
