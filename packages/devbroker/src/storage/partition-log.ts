import { invariant } from '@millrace/common';
import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import { encodeMarker, type MarkerOptions } from './control-batch.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import { type AbortedRange, type BatchKind, PartitionTransactions } from './partition-transactions.ts';
import { assignBatch, type RecordBatchHeader, readBatchHeader } from './produced-batch.ts';
import { type ActiveProducer, ProducerStates } from './producer-states.ts';

// What a stored batch costs beside its bytes (object, Buffer, array slot): keeps many tiny batches within the bound.
const BATCH_OVERHEAD_BYTES = 256;
// Dropped entries are cut off the array in bulk, so that retention stays O(1) a batch.
const DROPPED_BEFORE_COMPACTION = 1024;

export interface StoredBatch {
  readonly baseOffset: number;
  /** Inclusive. */
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly leaderEpoch: number;
  readonly kind: BatchKind;
  readonly producerId: number;
  /** The whole RecordBatch, never decoded. */
  readonly bytes: Buffer;
}

// Stands in the place of a dropped batch, so that the array does not hold its bytes.
const DROPPED: StoredBatch = {
  baseOffset: -1,
  lastOffset: -1,
  maxTimestamp: -1,
  leaderEpoch: -1,
  kind: 'plain',
  producerId: -1,
  bytes: Buffer.alloc(0),
};

export type AppendResult =
  | { readonly ok: true; readonly baseOffset: number }
  | { readonly ok: false; readonly errorCode: KafkaErrorNumber };

/** The batches of one partition, in memory, bounded by bytes: the oldest go first and the log start moves. */
export class PartitionLog {
  private readonly retentionBytes: number;
  /** Ascending; entries before `head` were dropped. */
  private batches: StoredBatch[] = [];
  private head = 0;
  private bytes = 0;
  private start = 0;
  private end = 0;
  private epoch = 0;
  private readonly epochs = new LeaderEpochs();
  private readonly producers = new ProducerStates();
  private readonly transactions = new PartitionTransactions();
  private readonly listeners = new Set<() => void>();

  constructor(options: { readonly retentionBytes: number }) {
    this.retentionBytes = options.retentionBytes;
  }

  /** Offset of the first record that is still there. */
  get logStartOffset(): number {
    return this.start;
  }

  /** Exclusive: the offset that the next record gets. With one replica also the high watermark. */
  get logEndOffset(): number {
    return this.end;
  }

  /** Exclusive: below it every transaction is decided. What read_committed sees. */
  get lastStableOffset(): number {
    return this.transactions.lastStableOffset(this.end);
  }

  get leaderEpoch(): number {
    return this.epoch;
  }

  /** Bytes held, with the bookkeeping's share. */
  get sizeBytes(): number {
    return this.bytes;
  }

  /** Stores a copy of a checked batch under the next offsets. A repeated batch of an idempotent producer gives its first offset again. */
  append(batch: Buffer, header: RecordBatchHeader): AppendResult {
    const verdict = this.producers.check(header);
    if (verdict.kind === 'refused') return { ok: false, errorCode: verdict.errorCode };
    if (verdict.kind === 'duplicate') return { ok: true, baseOffset: verdict.baseOffset };
    if (!header.transactional && this.transactions.openSince(header.producerId) >= 0) {
      return { ok: false, errorCode: KAFKA_ERROR.INVALID_TXN_STATE };
    }
    // A copy: the request's buffer holds other partitions, and this one is written to.
    const baseOffset = this.store(
      Buffer.from(batch),
      header,
      header.transactional ? 'transactional' : 'plain',
    );
    this.producers.appended(header, baseOffset);
    this.changed();
    return { ok: true, baseOffset };
  }

  /** Ends the producer's transaction here, whether or not it has written; its older epochs are fenced. */
  appendMarker(marker: MarkerOptions): void {
    const bytes = encodeMarker(marker);
    const header = readBatchHeader(bytes);
    this.store(bytes, header, marker.commit ? 'commit' : 'abort');
    this.producers.marked(header);
    this.changed();
  }

  private store(bytes: Buffer, header: RecordBatchHeader, kind: BatchKind): number {
    const baseOffset = this.end;
    assignBatch(bytes, baseOffset, this.epoch);
    const stored: StoredBatch = {
      baseOffset,
      lastOffset: baseOffset + header.lastOffsetDelta,
      maxTimestamp: header.maxTimestamp,
      leaderEpoch: this.epoch,
      kind,
      producerId: header.producerId,
      bytes,
    };
    this.batches.push(stored);
    this.transactions.appended(stored);
    this.bytes += bytes.length + BATCH_OVERHEAD_BYTES;
    this.end = stored.lastOffset + 1;
    this.epochs.assign(this.epoch, baseOffset);
    this.retain();
    return baseOffset;
  }

  /**
   * Bytes from the batch that holds `offset` on, at most `bytesMax`: the last batch may be cut off, as from Kafka's files.
   * With `wholeFirstBatch` the first batch comes whole even when it is larger (KIP-74).
   * The offset must be in [logStartOffset, logEndOffset]. Batches that begin at `untilOffset` or later are not read.
   */
  read(
    offset: number,
    bytesMax: number,
    wholeFirstBatch: boolean,
    untilOffset = this.end,
  ): readonly Buffer[] {
    invariant(offset >= this.start && offset <= this.end, `offset ${offset} is in the log`);
    const chunks: Buffer[] = [];
    let left = bytesMax;
    for (let at = this.indexOf(offset); at < this.batches.length; at++) {
      const { bytes, baseOffset } = this.batches[at] as StoredBatch;
      if (baseOffset >= untilOffset) break;
      const whole = bytes.length <= left || (chunks.length === 0 && wholeFirstBatch);
      if (!whole && left <= 0) break;
      chunks.push(whole ? bytes : bytes.subarray(0, left));
      left -= bytes.length;
      if (left <= 0) break;
    }
    return chunks;
  }

  /** Bytes that `read` could give from `offset` on, without a limit. Stops counting at `enough`. */
  availableBytes(offset: number, enough: number, untilOffset = this.end): number {
    let sum = 0;
    for (let at = this.indexOf(offset); at < this.batches.length && sum < enough; at++) {
      const { bytes, baseOffset } = this.batches[at] as StoredBatch;
      if (baseOffset >= untilOffset) break;
      sum += bytes.length;
    }
    return sum;
  }

  /** The aborted transactions with records in [fromOffset, untilOffset). */
  abortedIn(fromOffset: number, untilOffset: number): readonly AbortedRange[] {
    return this.transactions.abortedIn(fromOffset, untilOffset);
  }

  /** Who writes here with sequence numbers, and where their open transactions begin. */
  activeProducers(): ReadonlyArray<ActiveProducer & { readonly openSince: number }> {
    return this.producers
      .all()
      .map((producer) => ({ ...producer, openSince: this.transactions.openSince(producer.id) }));
  }

  /** The batches with a record of `timestamp` (ms) or later. Timestamps need not ascend. */
  batchesReaching(timestamp: number): readonly StoredBatch[] {
    return this.live().filter((batch) => batch.maxTimestamp >= timestamp);
  }

  /** ms; −1 when the log is empty. */
  maxTimestamp(): number {
    return this.live().reduce((max, batch) => Math.max(max, batch.maxTimestamp), -1);
  }

  /** See OffsetForLeaderEpoch. */
  endOffsetForEpoch(epoch: number): { readonly epoch: number; readonly endOffset: number } {
    return this.epochs.endOffset(epoch, this.epoch, this.end);
  }

  /** The leader epoch that wrote `offset`; at the log end, the newest one; −1 when unknown. */
  epochAt(offset: number): number {
    return this.epochs.epochAt(offset);
  }

  /** Moves the log start up to `offset`; below the start it does nothing. Batches that end before it are dropped. */
  deleteRecordsBefore(offset: number): void {
    invariant(offset <= this.end, `offset ${offset} is not beyond the log end ${this.end}`);
    if (offset <= this.start) return;
    this.start = offset;
    this.dropBatchesBelowStart();
    this.changed();
  }

  /** The first record of a log that never had any gets this offset. */
  beginAt(offset: number): void {
    invariant(this.end === 0, 'the log is new');
    this.start = offset;
    this.end = offset;
    this.changed();
  }

  /** Loses everything from `offset` on, as an unclean leader election does: a batch that holds it goes whole. The epoch rises by 1. */
  truncateTo(offset: number): void {
    const at = Math.max(this.head, this.indexOf(offset));
    const first = this.batches[at];
    for (const batch of this.batches.slice(at)) this.bytes -= batch.bytes.length + BATCH_OVERHEAD_BYTES;
    this.batches.length = Math.min(at, this.batches.length);
    this.end = Math.min(this.end, first?.baseOffset ?? this.end);
    this.start = Math.min(this.start, this.end);
    this.epochs.truncateTo(this.end);
    this.producers.truncateTo(this.end);
    this.transactions.rebuild(this.live());
    this.nextEpoch();
  }

  /** A new leader, or the same one elected again. */
  nextEpoch(): void {
    this.epoch += 1;
    this.changed();
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Tells waiting fetches to look again. */
  changed(): void {
    for (const listener of this.listeners) listener();
  }

  private live(): readonly StoredBatch[] {
    return this.head === 0 ? this.batches : this.batches.slice(this.head);
  }

  /** Index of the batch that holds `offset`, or of the first one after it. */
  private indexOf(offset: number): number {
    let low = this.head;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.batches[middle] as StoredBatch).lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private retain(): void {
    // The newest batch always stays, whatever its size.
    let at = this.head;
    let excess = this.bytes - this.retentionBytes;
    while (excess > 0 && at < this.batches.length - 1) {
      const batch = this.batches[at] as StoredBatch;
      excess -= batch.bytes.length + BATCH_OVERHEAD_BYTES;
      this.start = batch.lastOffset + 1;
      at += 1;
    }
    if (at > this.head) this.dropBatchesBelowStart();
  }

  private dropBatchesBelowStart(): void {
    while (this.head < this.batches.length) {
      const batch = this.batches[this.head] as StoredBatch;
      if (batch.lastOffset >= this.start) break;
      this.bytes -= batch.bytes.length + BATCH_OVERHEAD_BYTES;
      this.batches[this.head] = DROPPED;
      this.head += 1;
    }
    this.epochs.dropBefore(this.start);
    this.transactions.dropBefore(this.start);
    if (this.head >= DROPPED_BEFORE_COMPACTION && this.head * 2 >= this.batches.length) {
      this.batches = this.batches.slice(this.head);
      this.head = 0;
    }
  }
}
