import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import type { RecordBatchHeader } from './produced-batch.ts';

// Kafka's ProducerStateEntry.NUM_BATCHES_TO_RETAIN: a client has at most 5 requests in flight.
const BATCHES_REMEMBERED = 5;
// Least recently written first out: a client that was forgotten may go on with any sequence, as in Kafka.
const PRODUCERS_MAX = 1000;
const SEQUENCES = 2 ** 31;

interface AppendedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
}

interface ProducerState {
  readonly epoch: number;
  /** ms since 1970, of the newest batch. */
  readonly timestamp: number;
  /** Oldest first. */
  readonly batches: readonly AppendedBatch[];
}

/** As DescribeProducers tells. */
export interface ActiveProducer {
  readonly id: number;
  readonly epoch: number;
  /** −1: none since the epoch began. */
  readonly lastSequence: number;
  readonly lastTimestamp: number;
}

export type SequenceVerdict =
  | { readonly kind: 'append' }
  | { readonly kind: 'duplicate'; readonly baseOffset: number }
  | { readonly kind: 'refused'; readonly errorCode: KafkaErrorNumber };

/** Sequence numbers of the idempotent producers of one partition (KIP-98; ProducerStateManager). */
export class ProducerStates {
  private readonly producers = new Map<number, ProducerState>();

  check(header: RecordBatchHeader): SequenceVerdict {
    const known = this.producers.get(header.producerId);
    if (header.producerId < 0 || known === undefined) return { kind: 'append' };
    if (header.producerEpoch < known.epoch) {
      return { kind: 'refused', errorCode: KAFKA_ERROR.INVALID_PRODUCER_EPOCH };
    }
    if (header.producerEpoch > known.epoch) {
      return header.baseSequence === 0
        ? { kind: 'append' }
        : { kind: 'refused', errorCode: KAFKA_ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER };
    }
    const lastSequence = lastSequenceOf(header);
    const duplicate = known.batches.find(
      (batch) => batch.firstSequence === header.baseSequence && batch.lastSequence === lastSequence,
    );
    if (duplicate !== undefined) return { kind: 'duplicate', baseOffset: duplicate.baseOffset };
    const newest = known.batches.at(-1);
    // After the marker that raised the epoch there is none: its producer begins at 0.
    const expected = newest === undefined ? 0 : (newest.lastSequence + 1) % SEQUENCES;
    if (header.baseSequence === expected) return { kind: 'append' };
    return { kind: 'refused', errorCode: KAFKA_ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER };
  }

  /** Remembers a batch that `check` let pass and that was appended. */
  appended(header: RecordBatchHeader, baseOffset: number): void {
    if (header.producerId < 0) return;
    const known = this.producers.get(header.producerId);
    const earlier = known?.epoch === header.producerEpoch ? known.batches : [];
    const batch = { firstSequence: header.baseSequence, lastSequence: lastSequenceOf(header), baseOffset };
    this.remember(header, [...earlier, batch].slice(-BATCHES_REMEMBERED));
  }

  /** A transaction of the producer was ended under this epoch: older ones are fenced from here on. */
  marked(header: RecordBatchHeader): void {
    const known = this.producers.get(header.producerId);
    if (known !== undefined && known.epoch > header.producerEpoch) return;
    this.remember(header, known?.epoch === header.producerEpoch ? known.batches : []);
  }

  all(): readonly ActiveProducer[] {
    return [...this.producers].map(([id, { epoch, batches, timestamp }]) => ({
      id,
      epoch,
      lastSequence: batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: timestamp,
    }));
  }

  private remember(header: RecordBatchHeader, batches: readonly AppendedBatch[]): void {
    // Deleted first so that the map stays in order of the last write.
    this.producers.delete(header.producerId);
    this.producers.set(header.producerId, {
      epoch: header.producerEpoch,
      timestamp: header.maxTimestamp,
      batches,
    });
    const oldest = this.producers.keys().next().value;
    if (this.producers.size > PRODUCERS_MAX && oldest !== undefined) this.producers.delete(oldest);
  }

  truncateTo(endOffset: number): void {
    for (const [id, state] of this.producers) {
      const batches = state.batches.filter((batch) => batch.baseOffset < endOffset);
      if (batches.length === 0) this.producers.delete(id);
      else this.producers.set(id, { ...state, batches });
    }
  }
}

function lastSequenceOf(header: RecordBatchHeader): number {
  return (header.baseSequence + header.lastOffsetDelta) % SEQUENCES;
}
