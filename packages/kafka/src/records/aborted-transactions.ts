/** A transaction that was aborted: its records lie from `firstOffset` to the producer's next abort marker. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/**
 * Says which transactional batches are to be skipped under read_committed, while the batches of one fetch pass in offset order
 * (as Java's CompletedFetch does).
 */
export class AbortedTransactions {
  private readonly pending: readonly AbortedTransaction[];
  private next = 0;
  private readonly active = new Set<bigint>();

  constructor(aborted: readonly AbortedTransaction[]) {
    this.pending = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  }

  /** Whether a data batch of `producerId` that ends at `lastOffset` belongs to an aborted transaction. */
  isAborted(producerId: bigint, lastOffset: number): boolean {
    this.beginUpTo(lastOffset);
    return this.active.has(producerId);
  }

  /** An abort marker at `offset` ends the producer's aborted transaction. */
  endedAt(producerId: bigint, offset: number): void {
    this.beginUpTo(offset);
    this.active.delete(producerId);
  }

  private beginUpTo(offset: number): void {
    for (; this.next < this.pending.length; this.next++) {
      const transaction = this.pending[this.next] as AbortedTransaction;
      if (transaction.firstOffset > offset) return;
      this.active.add(transaction.producerId);
    }
  }
}
