import { MillraceError } from '@millrace/common';
import type { ProducedRange } from '../kafka-port.ts';
import {
  type BatchSink,
  type ProducerContext,
  retryOptionsOf,
  TOO_LARGE,
  type WriteOptions,
} from '../produce/batch-writer.ts';
import { recordTooLarge } from '../produce/record-accumulator.ts';
import type { WritableBatch } from '../produce/writable-batch.ts';
import { PRODUCE, type ProduceResponse } from '../protocol/produce-api.ts';
import type { TopicPartition } from '../topic-partition.ts';
import { KAFKA_ERROR } from '../wire/kafka-error.ts';
import type { TransactionAttempt } from './transaction-attempt.ts';
import { answerMs, judged, refusal, StepFailure, sentOnce, unknownOutcome } from './transaction-failure.ts';

export interface WriterContext extends ProducerContext {
  readonly transactionalId: string;
  readonly attempt: TransactionAttempt;
  /** Runs a step of the attempt: its failure is the transaction's. Throws what a caller may see. */
  readonly step: <T>(work: () => Promise<T>) => Promise<T>;
  /** Takes a partition into the transaction. */
  readonly add: (tp: TopicPartition) => Promise<void>;
  /** @throws MillraceError when nothing more may be sent. */
  readonly mustStillWrite: () => void;
}

/** The leader may have appended the batch, and the numbers may go on after it. */
const MAY_BE_APPENDED: ReadonlySet<number> = new Set([
  KAFKA_ERROR.REQUEST_TIMED_OUT,
  KAFKA_ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  KAFKA_ERROR.KAFKA_STORAGE_ERROR,
]);

/** Writes the batches of one attempt, one at a time for each partition. A batch is sent again when the leader has refused it, never without an answer. */
export class TransactionalWriter implements BatchSink {
  readonly #context: WriterContext;

  constructor(context: WriterContext) {
    this.#context = context;
  }

  async write(tp: TopicPartition, batch: WritableBatch, options: WriteOptions): Promise<ProducedRange[]> {
    return this.#context.step(async () => {
      this.#context.mustStillWrite();
      await this.#context.add(tp);
      return this.#write(tp, batch, options);
    });
  }

  /** In halves when the broker finds it too large. */
  async #write(tp: TopicPartition, batch: WritableBatch, options: WriteOptions): Promise<ProducedRange[]> {
    const { attempt } = this.#context;
    const response = await this.#request(tp, batch, options);
    if (!TOO_LARGE.has(response.error)) {
      attempt.written(tp, batch.records);
      return [{ ...tp, baseOffset: response.baseOffset, records: batch.records }];
    }
    const halves = batch.halves();
    if (halves === undefined) throw new StepFailure('ABORTABLE', recordTooLarge(tp.topic, batch.bytesMax));
    const head = await this.#write(tp, halves[0], options);
    return [...head, ...(await this.#write(tp, halves[1], options))];
  }

  async #request(tp: TopicPartition, batch: WritableBatch, options: WriteOptions): Promise<ProduceResponse> {
    const { retrier, options: client, metadata, transactionalId } = this.#context;
    const { deliveryTimeoutMs, signal } = options;
    const what = `Produce of ${transactionalId} to ${tp.topic}-${tp.partition}`;
    const stepMs = deliveryTimeoutMs ?? client.requestTimeoutMs;
    const sending = { what, encoded: undefined, isInDoubt: false };
    try {
      return await retrier.run(
        stepMs,
        async (leftMs) => {
          signal?.throwIfAborted();
          try {
            const timeoutMs = Math.min(answerMs(leftMs, stepMs), client.requestTimeoutMs);
            return await this.#attempt(tp, batch, options, sending, timeoutMs);
          } catch (error) {
            if (!MillraceError.is(error) || error.retryable) metadata.invalidate(tp.topic);
            throw error;
          }
        },
        retryOptionsOf(options),
      );
    } catch (error) {
      if (error instanceof StepFailure || !MillraceError.is(error)) throw judged(error, what);
      // Every answer was a refusal: nothing of the batch is on its way any more.
      throw sending.isInDoubt
        ? new StepFailure('UNKNOWN', unknownOutcome(what, error))
        : new StepFailure('ABORTABLE', error);
    }
  }

  async #attempt(
    tp: TopicPartition,
    batch: WritableBatch,
    options: WriteOptions,
    sending: { readonly what: string; encoded: Buffer | undefined; isInDoubt: boolean },
    timeoutMs: number,
  ): Promise<ProduceResponse> {
    const { attempt, clock, metadata, pool, transactionalId, mustStillWrite } = this.#context;
    const { leaderId } = await metadata.leader(tp);
    const connection = await pool.toNode(leaderId, 'produce');
    mustStillWrite();
    // The same bytes for every attempt, sequence numbers included.
    sending.encoded ??= batch.encode({
      now: clock.now(),
      compression: options.compression,
      transactional: true,
      producer: { ...attempt.identity, sequence: attempt.sequence(tp) },
    });
    const request = { transactionalId, ...tp, acks: -1, timeoutMs, batch: sending.encoded } as const;
    const response = await sentOnce(sending.what, () => connection.call(PRODUCE, request, { timeoutMs }));
    const { error, message } = response;
    if (error === KAFKA_ERROR.NONE || TOO_LARGE.has(error)) return response;
    // Written by an attempt before, whose answer said otherwise.
    if (error === KAFKA_ERROR.DUPLICATE_SEQUENCE_NUMBER) return { ...response, error: 0, baseOffset: -1 };
    sending.isInDoubt ||= MAY_BE_APPENDED.has(error);
    throw refusal(error, sending.what, message);
  }
}
