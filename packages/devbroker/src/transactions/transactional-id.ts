import { type TransitionTable, transition } from '@millrace/common';
import { KAFKA_ERROR, type KafkaErrorNumber, type TopicPartition, topicPartitionKey } from '@millrace/kafka';

export type TransactionStatus =
  | 'Empty'
  | 'Ongoing'
  | 'PrepareCommit'
  | 'PrepareAbort'
  | 'CompleteCommit'
  | 'CompleteAbort';

// org.apache.kafka.coordinator.transaction.TransactionState.
const MOVES: TransitionTable<TransactionStatus> = {
  Empty: ['Empty', 'Ongoing'],
  Ongoing: ['PrepareCommit', 'PrepareAbort'],
  PrepareCommit: ['CompleteCommit'],
  PrepareAbort: ['CompleteAbort'],
  CompleteCommit: ['Empty', 'Ongoing'],
  CompleteAbort: ['Empty', 'Ongoing'],
};

export const TRANSACTION_STATUSES: ReadonlySet<string> = new Set(Object.keys(MOVES));

// Short.MaxValue − 1: the last epoch is kept for fencing.
const EPOCH_EXHAUSTED = 2 ** 15 - 2;
const NO_EPOCH = -1;

export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** What has to be written into partitions and groups to end a transaction. */
export interface Markers extends ProducerIdentity {
  readonly commit: boolean;
  readonly partitions: readonly TopicPartition[];
  readonly groups: readonly string[];
}

export interface Decision {
  readonly errorCode: KafkaErrorNumber;
  /** The transaction ends: to be written, then `markersWritten`. */
  readonly markers?: Markers;
}

const OK: Decision = { errorCode: KAFKA_ERROR.NONE };
const refused = (errorCode: KafkaErrorNumber): Decision => ({ errorCode });

/**
 * One transactional id in its coordinator: who its producer is, and its transaction. It decides and does nothing else
 * (TransactionCoordinator and TransactionMetadata of Apache Kafka, for clients that do not know KIP-890's second part).
 */
export class TransactionalId {
  readonly id: string;
  private current: TransactionStatus = 'Empty';
  private producer: ProducerIdentity;
  /** The epoch before the last bump, when its own producer asked for it: it may ask again (KIP-360). */
  private lastEpoch = NO_EPOCH;
  private lastProducerId = -1;
  private timeout = 0;
  private started = -1;
  private readonly partitionsByKey = new Map<string, TopicPartition>();
  private readonly groupIds = new Set<string>();

  constructor(id: string, producerId: number) {
    this.id = id;
    this.producer = { producerId, producerEpoch: NO_EPOCH };
  }

  get status(): TransactionStatus {
    return this.current;
  }

  get identity(): ProducerIdentity {
    return this.producer;
  }

  get timeoutMs(): number {
    return this.timeout;
  }

  /** Wall-clock ms; −1: no transaction has begun. */
  get startedAt(): number {
    return this.started;
  }

  get partitions(): readonly TopicPartition[] {
    return [...this.partitionsByKey.values()];
  }

  /** A new producer, or with `expected` the same one that goes on. An open transaction is aborted first: the client asks again. */
  init(timeoutMs: number, expected: ProducerIdentity | undefined, newProducerId: () => number): Decision {
    if (expected !== undefined && !this.mayGoOn(expected)) return refused(KAFKA_ERROR.PRODUCER_FENCED);
    if (this.current === 'PrepareCommit' || this.current === 'PrepareAbort') {
      return refused(KAFKA_ERROR.CONCURRENT_TRANSACTIONS);
    }
    if (this.current === 'Ongoing') {
      return { errorCode: KAFKA_ERROR.CONCURRENT_TRANSACTIONS, markers: this.fence() };
    }
    const { producerId, producerEpoch } = this.producer;
    if (
      producerEpoch >= EPOCH_EXHAUSTED &&
      (expected === undefined || expected.producerEpoch === producerEpoch)
    ) {
      this.lastProducerId = producerId;
      this.lastEpoch = expected === undefined ? NO_EPOCH : producerEpoch;
      this.producer = { producerId: newProducerId(), producerEpoch: 0 };
    } else if (
      expected === undefined ||
      producerEpoch === NO_EPOCH ||
      expected.producerEpoch === producerEpoch
    ) {
      this.lastEpoch = expected === undefined ? NO_EPOCH : producerEpoch;
      this.producer = { producerId, producerEpoch: producerEpoch + 1 };
    } else if (expected.producerEpoch !== this.lastEpoch) {
      return refused(KAFKA_ERROR.PRODUCER_FENCED);
    }
    this.timeout = timeoutMs;
    this.goTo('Empty');
    return OK;
  }

  /** Takes partitions, and the offsets of a group, into the transaction; the first of them opens it. */
  add(
    by: ProducerIdentity,
    more: { readonly partitions?: readonly TopicPartition[]; readonly groupId?: string },
    now: number,
  ): Decision {
    const problem = this.producerProblem(by);
    if (problem !== KAFKA_ERROR.NONE) return refused(problem);
    if (this.current === 'PrepareCommit' || this.current === 'PrepareAbort') {
      return refused(KAFKA_ERROR.CONCURRENT_TRANSACTIONS);
    }
    if (this.current !== 'Ongoing') {
      this.goTo('Ongoing');
      this.started = now;
    }
    for (const tp of more.partitions ?? []) this.partitionsByKey.set(topicPartitionKey(tp), tp);
    if (more.groupId !== undefined) this.groupIds.add(more.groupId);
    return OK;
  }

  /** EndTxn: the same end may be asked for again. */
  end(by: ProducerIdentity, commit: boolean): Decision {
    const problem = this.producerProblem(by);
    if (problem !== KAFKA_ERROR.NONE) return refused(problem);
    switch (this.current) {
      case 'Ongoing':
        return { errorCode: KAFKA_ERROR.NONE, markers: this.prepare(commit) };
      case 'CompleteCommit':
        return refused(commit ? KAFKA_ERROR.NONE : KAFKA_ERROR.INVALID_TXN_STATE);
      case 'CompleteAbort':
        return refused(commit ? KAFKA_ERROR.INVALID_TXN_STATE : KAFKA_ERROR.NONE);
      case 'PrepareCommit':
        return refused(commit ? KAFKA_ERROR.CONCURRENT_TRANSACTIONS : KAFKA_ERROR.INVALID_TXN_STATE);
      case 'PrepareAbort':
        return refused(commit ? KAFKA_ERROR.INVALID_TXN_STATE : KAFKA_ERROR.CONCURRENT_TRANSACTIONS);
      case 'Empty':
        return refused(KAFKA_ERROR.INVALID_TXN_STATE);
    }
  }

  /** The transaction's time is over: undefined when there is none. */
  expire(): Markers | undefined {
    return this.current === 'Ongoing' ? this.fence() : undefined;
  }

  markersWritten(): void {
    this.goTo(this.current === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort');
    this.partitionsByKey.clear();
    this.groupIds.clear();
  }

  /** Whether a write of this producer belongs to the open transaction: Kafka asks before it appends (KIP-890). */
  verify(by: ProducerIdentity, where: TopicPartition | { readonly groupId: string }): KafkaErrorNumber {
    const problem = this.producerProblem(by);
    if (problem !== KAFKA_ERROR.NONE) return problem;
    const added =
      'groupId' in where
        ? this.groupIds.has(where.groupId)
        : this.partitionsByKey.has(topicPartitionKey(where));
    return this.current === 'Ongoing' && added ? KAFKA_ERROR.NONE : KAFKA_ERROR.INVALID_TXN_STATE;
  }

  private mayGoOn({ producerId, producerEpoch }: ProducerIdentity): boolean {
    return (
      this.producer.producerEpoch === NO_EPOCH ||
      producerId === this.producer.producerId ||
      (producerId === this.lastProducerId && producerEpoch >= EPOCH_EXHAUSTED)
    );
  }

  private producerProblem({ producerId, producerEpoch }: ProducerIdentity): KafkaErrorNumber {
    if (producerId !== this.producer.producerId) return KAFKA_ERROR.INVALID_PRODUCER_ID_MAPPING;
    return producerEpoch === this.producer.producerEpoch ? KAFKA_ERROR.NONE : KAFKA_ERROR.PRODUCER_FENCED;
  }

  /** Aborts under a higher epoch: what its producer has sent and is still on its way finds the partitions closed. */
  private fence(): Markers {
    const { producerId, producerEpoch } = this.producer;
    this.producer = { producerId, producerEpoch: producerEpoch + 1 };
    this.lastEpoch = NO_EPOCH;
    return this.prepare(false);
  }

  private prepare(commit: boolean): Markers {
    this.goTo(commit ? 'PrepareCommit' : 'PrepareAbort');
    return { ...this.producer, commit, partitions: this.partitions, groups: [...this.groupIds] };
  }

  private goTo(next: TransactionStatus): void {
    this.current = transition(MOVES, `transactional id ${this.id}`, this.current, next);
  }
}
