import type { Compression, ProducedRange, ProduceRecord } from '../kafka-port.ts';
import type { RecordStream, RecordStreamOptions } from '../produce/record-stream.ts';
import type { TxnOffset } from '../protocol/transaction-api.ts';
import type { TransactionState } from './transaction-machine.ts';

export type { TxnOffset } from '../protocol/transaction-api.ts';

export interface TransactionalProducerOptions {
  readonly transactionalId: string;
  /** After so many ms without an end the broker aborts a transaction. At most its transaction.max.timeout.ms (15 min by default). */
  readonly transactionTimeoutMs: number;
  /** Until when a step must have been answered, retries included. Default: the client's requestTimeoutMs. */
  readonly stepTimeoutMs?: number;
}

/**
 * Writes records and offsets in transactions (KIP-98). Cheap: many share a client's connections. One transaction at a time.
 *
 * All of it may throw PRODUCER_FENCED (another producer of the id has taken over, or the transaction's time is over: this one is at its
 * end), TRANSACTION_UNKNOWN (nobody knows whether a step was done: only `init` goes on), TRANSACTION_ABORTABLE (a step failed for good:
 * `abort`, or `init`), KAFKA_AUTH, CANCELLED (the client is closed).
 */
export interface TransactionalProducer {
  readonly transactionalId: string;
  readonly state: TransactionState;
  /**
   * Takes the id over: every earlier producer of it is fenced, its open transaction is aborted. Before the first transaction, and before
   * the next one of an attempt that must not meet requests of an older one that are still on their way (KIP-890).
   * @throws MillraceError CONFIG_INVALID when the broker does not allow the time-out; KAFKA_UNREACHABLE.
   */
  init(): Promise<void>;
  /** Only a mark: the broker hears of a transaction when it gets its first record or offset. */
  begin(): void;
  /** See KafkaProducer.send. A failure leaves a transaction that can only be aborted, or nothing but a new `init`. */
  send(
    topic: string,
    records: readonly ProduceRecord[],
    options?: { readonly compression?: Compression },
  ): Promise<readonly ProducedRange[]>;
  /** Very many records, as KafkaProducer.stream. `finish` or `abort` it before the transaction's end. */
  stream(options: Omit<RecordStreamOptions, 'acks'>): RecordStream;
  /** Commits offsets of a group with the transaction, without being a member of the group. */
  sendOffsets(groupId: string, offsets: readonly TxnOffset[]): Promise<void>;
  /**
   * After an init: tells all that was written in the last transaction of the id how that has ended, as the log of its coordinator says. A
   * coordinator counts a transaction as ended without having told partitions that had no leader then: records and offsets there stay
   * undecided, and hold readers up, until the next end of this producer. What was told before stays as it is. False: the log does not
   * say how it has ended, or may not be read.
   * @throws MillraceError KAFKA_AUTH: it needs the right ALTER or CLUSTER_ACTION on the cluster; as steps of transactions.
   */
  endAgain(): Promise<boolean>;
  /** Waits for what is on its way, and ends the transaction. When it resolves, all of it will be visible. */
  commit(): Promise<void>;
  /** Waits for what is on its way, and ends the transaction: none of it will be visible. */
  abort(): Promise<void>;
}
