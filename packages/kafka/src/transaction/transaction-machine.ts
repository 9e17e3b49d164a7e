import { invariant, MillraceError, type TransitionTable, transition } from '@millrace/common';
import type { ProducerIdentity } from '../produce/producer-sequences.ts';
import { TransactionAttempt } from './transaction-attempt.ts';
import type { FailureVerdict } from './transaction-failure.ts';

/**
 * UNKNOWN: nobody knows whether a step was done. ABORTABLE: a step has failed and is not part of the transaction. FENCED and FATAL are
 * ends. The others as in Java's TransactionManager.
 */
export type TransactionState =
  | 'UNINITIALIZED'
  | 'INITIALIZING'
  | 'READY'
  | 'IN_TRANSACTION'
  | 'ABORTABLE'
  | 'COMMITTING'
  | 'ABORTING'
  | 'UNKNOWN'
  | 'FENCED'
  | 'FATAL';

const MOVES: TransitionTable<TransactionState> = {
  UNINITIALIZED: ['INITIALIZING'],
  INITIALIZING: ['READY', 'UNKNOWN', 'FENCED', 'FATAL'],
  READY: ['INITIALIZING', 'IN_TRANSACTION'],
  IN_TRANSACTION: ['INITIALIZING', 'COMMITTING', 'ABORTING', 'ABORTABLE', 'UNKNOWN', 'FENCED', 'FATAL'],
  ABORTABLE: ['INITIALIZING', 'ABORTING', 'UNKNOWN', 'FENCED', 'FATAL'],
  COMMITTING: ['READY', 'ABORTABLE', 'UNKNOWN', 'FENCED', 'FATAL'],
  ABORTING: ['READY', 'UNKNOWN', 'FENCED', 'FATAL'],
  UNKNOWN: ['INITIALIZING', 'FENCED', 'FATAL'],
  FENCED: [],
  FATAL: [],
};

/** The states of a transactional producer: it decides what may be done, and does nothing else. */
export class TransactionMachine {
  readonly #transactionalId: string;
  #state: TransactionState = 'UNINITIALIZED';
  #attempt: TransactionAttempt | undefined;
  /** Why it is ABORTABLE, UNKNOWN, FENCED or FATAL. */
  #failure: MillraceError | undefined;

  constructor(transactionalId: string) {
    this.#transactionalId = transactionalId;
  }

  get state(): TransactionState {
    return this.#state;
  }

  /** What runs in the attempt before ends without an effect on the next. */
  initStarted(): void {
    this.#allow('INITIALIZING');
    this.#attempt = undefined;
    this.#failure = undefined;
  }

  initialized(identity: ProducerIdentity): TransactionAttempt {
    this.#goTo('READY');
    this.#attempt = new TransactionAttempt(identity);
    return this.#attempt;
  }

  begin(): void {
    this.#allow('IN_TRANSACTION');
  }

  /** The attempt whose transaction takes records and offsets. */
  open(): TransactionAttempt {
    if (this.#state !== 'IN_TRANSACTION') throw this.#refused('be written to');
    return this.#current();
  }

  /** A transaction that fails while it ends, or is ended, may still write what it has begun to. */
  mustStillWrite(attempt: TransactionAttempt): void {
    if (this.#attempt === attempt && (this.#state === 'IN_TRANSACTION' || this.#state === 'COMMITTING'))
      return;
    throw this.#refused('be written to');
  }

  endStarted(commit: boolean): void {
    this.#allow(commit ? 'COMMITTING' : 'ABORTING');
  }

  /** What was on its way has ended: the attempt whose transaction may be ended now. */
  readyToEnd(commit: boolean): TransactionAttempt {
    if (this.#state !== (commit ? 'COMMITTING' : 'ABORTING'))
      throw this.#refused(commit ? 'commit' : 'abort');
    return this.#current();
  }

  ended(): void {
    this.#current().ended();
    this.#failure = undefined;
    this.#goTo('READY');
  }

  /** `attempt`: in which the step was, undefined for an init. What is worse than before counts. */
  failed(attempt: TransactionAttempt | undefined, verdict: FailureVerdict, error: MillraceError): void {
    if (this.#attempt !== attempt || !MOVES[this.#state].includes(verdict)) return;
    this.#failure = error;
    this.#goTo(verdict);
  }

  #current(): TransactionAttempt {
    invariant(this.#attempt !== undefined, 'an initialised producer has an identity');
    return this.#attempt;
  }

  #allow(next: TransactionState): void {
    if (!MOVES[this.#state].includes(next)) throw this.#refused(`go to ${next}`);
    this.#goTo(next);
  }

  #goTo(next: TransactionState): void {
    this.#state = transition(MOVES, `transactional producer ${this.#transactionalId}`, this.#state, next);
  }

  #refused(what: string): MillraceError {
    const text = `The transactional producer ${this.#transactionalId} is ${this.#state} and cannot ${what}`;
    const cause = this.#failure;
    const options = { details: { transactionalId: this.#transactionalId }, ...(cause && { cause }) };
    switch (this.#state) {
      case 'FENCED':
        return new MillraceError('PRODUCER_FENCED', text, options);
      case 'UNKNOWN':
        return new MillraceError('TRANSACTION_UNKNOWN', text, { ...options, remedy: 'Begin with an init.' });
      case 'ABORTABLE':
        return new MillraceError('TRANSACTION_ABORTABLE', text, { ...options, remedy: 'Abort it.' });
      case 'FATAL':
        return new MillraceError(cause?.code ?? 'KAFKA_PROTOCOL', text, options);
      default:
        return new MillraceError('BAD_REQUEST', text, options);
    }
  }
}
