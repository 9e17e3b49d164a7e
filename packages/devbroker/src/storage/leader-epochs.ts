/** Which leader epoch wrote which offsets of a partition (KIP-101, LeaderEpochFileCache). */
export class LeaderEpochs {
  /** Ascending in both fields. Only epochs that wrote something. */
  private entries: Array<{ readonly epoch: number; readonly startOffset: number }> = [];

  /** Called for each append. */
  assign(epoch: number, startOffset: number): void {
    const newest = this.entries.at(-1);
    if (newest === undefined || epoch > newest.epoch) this.entries.push({ epoch, startOffset });
  }

  /**
   * The newest epoch ≤ `epoch` that is known and the offset after its last record, as OffsetForLeaderEpoch answers;
   * −1 for both when there is none.
   */
  endOffset(
    epoch: number,
    currentEpoch: number,
    logEndOffset: number,
  ): { readonly epoch: number; readonly endOffset: number } {
    if (epoch === currentEpoch) return { epoch, endOffset: logEndOffset };
    if (epoch < 0 || epoch > currentEpoch) return { epoch: -1, endOffset: -1 };
    const next = this.entries.findIndex((entry) => entry.epoch > epoch);
    const at = next === -1 ? this.entries.length : next;
    const found = this.entries[at - 1];
    const endOffset = this.entries[at]?.startOffset ?? logEndOffset;
    // Below all known epochs: the first known one started there.
    if (found === undefined) return { epoch, endOffset: this.entries[0]?.startOffset ?? logEndOffset };
    return { epoch: found.epoch, endOffset };
  }

  /** The epoch that wrote `offset`; −1 when unknown. */
  epochAt(offset: number): number {
    return this.entries.findLast((entry) => entry.startOffset <= offset)?.epoch ?? -1;
  }

  truncateTo(endOffset: number): void {
    this.entries = this.entries.filter((entry) => entry.startOffset < endOffset);
  }

  /** Keeps the epoch that covers the new start, moved up to it. */
  dropBefore(logStartOffset: number): void {
    const covering = this.entries.findLast((entry) => entry.startOffset <= logStartOffset);
    if (covering === undefined) return;
    this.entries = [
      { epoch: covering.epoch, startOffset: logStartOffset },
      ...this.entries.filter((entry) => entry.startOffset > logStartOffset),
    ];
  }
}
