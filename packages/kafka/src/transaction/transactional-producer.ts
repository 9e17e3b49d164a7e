import { invariant, MillraceError } from '@millrace/common';
import type { Compression, ProducedRange, ProduceRecord } from '../kafka-port.ts';
import { BatchProducer } from '../produce/batch-producer.ts';
import type { ProducerContext } from '../produce/batch-writer.ts';
import type { RecordStream, RecordStreamOptions } from '../produce/record-stream.ts';
import type { TransactionSender, TxnOffset } from '../protocol/transaction-api.ts';
import { type TopicPartition, topicPartitionKey } from '../topic-partition.ts';
import type { TransactionAttempt } from './transaction-attempt.ts';
import type { TransactionCoordinator } from './transaction-coordinator.ts';
import { StepFailure } from './transaction-failure.ts';
import type { LoggedTransactions } from './transaction-history.ts';
import { TransactionMachine, type TransactionState } from './transaction-machine.ts';
import { writeMarkers } from './transaction-markers.ts';
import type { TransactionalProducer, TransactionalProducerOptions } from './transaction-port.ts';
import { TransactionalWriter } from './transactional-writer.ts';

/** One attempt at work. */
interface Session {
  readonly attempt: TransactionAttempt;
  readonly sender: TransactionSender;
  readonly producer: BatchProducer;
  /** Requests to the transaction's coordinator, one after the other: it answers CONCURRENT_TRANSACTIONS to two at once. */
  tail: Promise<unknown>;
  /** To be taken into the transaction with the next request. */
  wanted: TopicPartition[];
  /** What is on its way: the transaction does not end before. */
  readonly running: Set<Promise<unknown>>;
}

/** Lets the machine decide, sends, and tells the machine what came of it. */
export class SharedTransactionalProducer implements TransactionalProducer {
  readonly transactionalId: string;
  readonly #transactionTimeoutMs: number;
  readonly #stepTimeoutMs: number;
  readonly #context: ProducerContext;
  readonly #coordinator: TransactionCoordinator;
  readonly #history: (transactionalId: string) => Promise<LoggedTransactions | undefined>;
  readonly #machine: TransactionMachine;
  #session: Session | undefined;

  constructor(
    options: TransactionalProducerOptions,
    context: ProducerContext,
    coordinator: TransactionCoordinator,
    history: (transactionalId: string) => Promise<LoggedTransactions | undefined>,
  ) {
    this.transactionalId = options.transactionalId;
    this.#transactionTimeoutMs = options.transactionTimeoutMs;
    this.#stepTimeoutMs = options.stepTimeoutMs ?? context.options.requestTimeoutMs;
    this.#context = context;
    this.#coordinator = coordinator;
    this.#history = history;
    this.#machine = new TransactionMachine(options.transactionalId);
  }

  get state(): TransactionState {
    return this.#machine.state;
  }

  async init(): Promise<void> {
    this.#machine.initStarted();
    this.#session = undefined;
    const timeoutMs = this.#stepTimeoutMs;
    await this.#judge(undefined, 'UNKNOWN', async () => {
      const identity = await this.#coordinator.init(
        this.transactionalId,
        this.#transactionTimeoutMs,
        timeoutMs,
      );
      this.#session = this.#sessionOf(this.#machine.initialized(identity));
    });
  }

  begin(): void {
    this.#machine.begin();
  }

  async send(
    topic: string,
    records: readonly ProduceRecord[],
    options: { readonly compression?: Compression } = {},
  ): Promise<readonly ProducedRange[]> {
    const session = this.#open();
    return this.#step(session, () => session.producer.send(topic, records, { ...options, acks: -1 }));
  }

  stream(options: Omit<RecordStreamOptions, 'acks'>): RecordStream {
    return this.#open().producer.stream({ ...options, acks: -1 });
  }

  async sendOffsets(groupId: string, offsets: readonly TxnOffset[]): Promise<void> {
    const session = this.#open();
    for (const { topic, partition, offset } of offsets) {
      if (Number.isSafeInteger(offset) && offset >= 0) continue;
      throw new MillraceError('BAD_REQUEST', `${offset} is not an offset of ${topic}-${partition}`, {
        details: { topic, partition },
      });
    }
    if (offsets.length === 0) return;
    await this.#step(session, async () => {
      await this.#inTurn(session, async () => {
        if (session.attempt.hasGroup(groupId)) return;
        await this.#coordinator.addOffsets(session.sender, groupId, this.#stepTimeoutMs);
        session.attempt.addedGroup(groupId);
      });
      this.#machine.mustStillWrite(session.attempt);
      await this.#coordinator.commitOffsets(session.sender, groupId, offsets, this.#stepTimeoutMs);
    });
  }

  async endAgain(): Promise<boolean> {
    const own = this.#session?.attempt.identity;
    const history = await this.#history(this.transactionalId);
    if (own === undefined || history === undefined) return false;
    const { producerId, epoch, end, coordinatorEpoch } = history;
    if (producerId !== own.id || epoch !== own.epoch) throw takenOver(this.transactionalId);
    if (end === undefined) return false;
    // The id may have got another producer id since, with epochs of its own.
    const by = end.producerId === own.id ? own : { id: end.producerId, epoch: end.epoch };
    const { commit, partitions } = end;
    await writeMarkers(this.#context, { ...by, commit, partitions, coordinatorEpoch }, this.#stepTimeoutMs);
    // Markers that were sent twice may come late: they must not end the next transaction.
    await this.init();
    return true;
  }

  async commit(): Promise<void> {
    await this.#end(true);
  }

  async abort(): Promise<void> {
    await this.#end(false);
  }

  async #end(commit: boolean): Promise<void> {
    this.#machine.endStarted(commit);
    const { running, sender } = this.#session as Session;
    while (running.size > 0) await Promise.allSettled(running);
    const attempt = this.#machine.readyToEnd(commit);
    if (!attempt.isEmpty) {
      await this.#judge(attempt, commit ? 'ABORTABLE' : 'UNKNOWN', () =>
        this.#coordinator.end(sender, commit, this.#stepTimeoutMs),
      );
    }
    this.#machine.ended();
  }

  #open(): Session {
    this.#machine.open();
    return this.#session as Session;
  }

  #sessionOf(attempt: TransactionAttempt): Session {
    const { transactionalId } = this;
    const context = {
      ...this.#context,
      transactionalId,
      attempt,
      step: async <T>(work: () => Promise<T>): Promise<T> => this.#step(session, work),
      add: async (tp: TopicPartition) => this.#add(session, tp),
      mustStillWrite: () => this.#machine.mustStillWrite(attempt),
    };
    const session: Session = {
      attempt,
      sender: { transactionalId, ...attempt.identity },
      producer: new BatchProducer(this.#context, new TransactionalWriter(context)),
      tail: Promise.resolve(),
      wanted: [],
      running: new Set(),
    };
    return session;
  }

  /** Partitions that are wanted at about the same time go with one request. */
  async #add(session: Session, tp: TopicPartition): Promise<void> {
    if (session.attempt.has(tp)) return;
    session.wanted.push(tp);
    await this.#inTurn(session, async () => {
      const { attempt, sender, wanted } = session;
      session.wanted = [];
      const partitions = [...new Map(wanted.map((one) => [topicPartitionKey(one), one])).values()];
      const missing = partitions.filter((one) => !attempt.has(one));
      if (missing.length === 0) return;
      this.#machine.mustStillWrite(attempt);
      // Judged here: who waits for the same request must find that it has failed.
      await this.#judge(attempt, 'ABORTABLE', () =>
        this.#coordinator.addPartitions(sender, missing, this.#stepTimeoutMs),
      );
      attempt.added(missing);
    });
    this.#machine.mustStillWrite(session.attempt);
    invariant(session.attempt.has(tp), 'a partition that is written to is part of the transaction');
  }

  async #inTurn(session: Session, work: () => Promise<void>): Promise<void> {
    const turn = session.tail.then(work);
    session.tail = turn.catch(() => {});
    await turn;
  }

  async #step<T>({ attempt, running }: Session, work: () => Promise<T>): Promise<T> {
    const step = this.#judge(attempt, 'ABORTABLE', work);
    running.add(step);
    try {
      return await step;
    } finally {
      running.delete(step);
    }
  }

  /** `mildest`: what a failure is that is not judged yet, or could be mended by an abort; it came before anything was sent. */
  async #judge<T>(
    attempt: TransactionAttempt | undefined,
    mildest: 'ABORTABLE' | 'UNKNOWN',
    work: () => Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      const isJudged = thrown instanceof StepFailure;
      const error = isJudged ? thrown.error : MillraceError.from(thrown, 'INTERNAL');
      const verdict = isJudged && thrown.verdict !== 'ABORTABLE' ? thrown.verdict : mildest;
      this.#machine.failed(attempt, verdict, error);
      throw error;
    }
  }
}

function takenOver(transactionalId: string): MillraceError {
  return new MillraceError('PRODUCER_FENCED', `Another producer has taken over the id ${transactionalId}`, {
    details: { transactionalId },
  });
}
