import { type Clock, MillraceError, type Random } from '@millrace/common';
import type { ClusterMetadata } from '../cluster-metadata.ts';
import type { BrokerPool } from '../connection/broker-pool.ts';
import { kafkaFailure } from '../kafka-failure.ts';
import type { KafkaOptions } from '../kafka-options.ts';
import type { ProducedRange, ProduceOptions } from '../kafka-port.ts';
import { PRODUCE, type ProduceResponse } from '../protocol/produce-api.ts';
import { INIT_PRODUCER_ID } from '../protocol/producer-id-api.ts';
import type { Retrier, RetryOptions } from '../retrier.ts';
import { type TopicPartition, topicPartitionKey } from '../topic-partition.ts';
import { KAFKA_ERROR } from '../wire/kafka-error.ts';
import { type ProducerIdentity, ProducerSequences } from './producer-sequences.ts';
import { recordTooLarge } from './record-accumulator.ts';
import type { WritableBatch } from './writable-batch.ts';

export interface ProducerContext {
  readonly pool: BrokerPool;
  readonly metadata: ClusterMetadata;
  readonly retrier: Retrier;
  readonly options: KafkaOptions;
  readonly clock: Clock;
  readonly random: Random;
}

export interface WriteOptions extends Required<ProduceOptions> {
  /** Until when a batch must be acknowledged, retries included. Default: requestTimeoutMs. */
  readonly deliveryTimeoutMs?: number;
  /** Default: as many as there is time for. */
  readonly retriesMax?: number;
  /** Aborted: what has not been sent is not sent any more. */
  readonly signal?: AbortSignal;
  /** Called when a batch failed, before the next one of its partition begins. */
  readonly onFailure?: (error: unknown) => void;
}

/** How a batch is tried again. Who says until when it must be acknowledged also waits for brokers that are away. */
export function retryOptionsOf({ deliveryTimeoutMs, retriesMax, signal }: WriteOptions): RetryOptions {
  return {
    isPatient: deliveryTimeoutMs !== undefined,
    ...(signal && { signal }),
    ...(retriesMax !== undefined && { retriesMax }),
  };
}

/** Where a BatchProducer's batches go: one at a time for each partition. */
export interface BatchSink {
  write(tp: TopicPartition, batch: WritableBatch, options: WriteOptions): Promise<ProducedRange[]>;
}

/** A batch on its way, over all its attempts. */
interface Sending {
  readonly tp: TopicPartition;
  readonly batch: WritableBatch;
  readonly options: WriteOptions;
  /** With sequence numbers. */
  readonly numbered: boolean;
  /** The same bytes for every attempt, sequence numbers included. */
  encoded: Buffer | undefined;
}

/** The broker takes the batch in halves. */
export const TOO_LARGE: ReadonlySet<number> = new Set([
  KAFKA_ERROR.MESSAGE_TOO_LARGE,
  KAFKA_ERROR.RECORD_LIST_TOO_LARGE,
]);

/** The leader refused a batch because it does not know, or has lost, the one before it. */
const SEQUENCE_LOST: ReadonlySet<number> = new Set([
  KAFKA_ERROR.OUT_OF_ORDER_SEQUENCE_NUMBER,
  KAFKA_ERROR.INVALID_PRODUCER_EPOCH,
  KAFKA_ERROR.UNKNOWN_PRODUCER_ID,
]);

// A broker that hangs must not cost the whole deadline: another one is asked.
const IDENTITY_ATTEMPTS_MIN = 3;

/**
 * Writes batches to the leaders of their partitions, of which it finds the new ones. With acks −1 and `idempotent` a batch whose
 * acknowledgement was lost is not written again; otherwise it is. One batch at a time for each partition.
 */
export class BatchWriter implements BatchSink {
  private readonly context: ProducerContext;
  private readonly sequences = new ProducerSequences(async () => this.newIdentity());

  constructor(context: ProducerContext) {
    this.context = context;
  }

  /** Writes one batch, in halves when the broker finds it too large. */
  async write(tp: TopicPartition, batch: WritableBatch, options: WriteOptions): Promise<ProducedRange[]> {
    try {
      return await this.written(tp, batch, options);
    } catch (error) {
      options.onFailure?.(error);
      throw error;
    }
  }

  private async written(
    tp: TopicPartition,
    batch: WritableBatch,
    options: WriteOptions,
  ): Promise<ProducedRange[]> {
    options.signal?.throwIfAborted();
    const { records } = batch;
    const numbered = this.context.options.idempotent && options.acks === -1;
    const response = await this.request({ tp, batch, options, numbered, encoded: undefined });
    if (!TOO_LARGE.has(response.error)) return [{ ...tp, baseOffset: response.baseOffset, records }];
    const halves = batch.halves();
    if (halves === undefined) throw recordTooLarge(tp.topic, batch.bytesMax);
    const head = await this.written(tp, halves[0], options);
    return [...head, ...(await this.written(tp, halves[1], options))];
  }

  private async request(sending: Sending): Promise<ProduceResponse> {
    const { metadata, retrier, options } = this.context;
    const { deliveryTimeoutMs, signal } = sending.options;
    try {
      return await retrier.run(
        deliveryTimeoutMs ?? options.requestTimeoutMs,
        async (leftMs) => {
          signal?.throwIfAborted();
          try {
            return await this.attempt(sending, Math.min(leftMs, options.requestTimeoutMs));
          } catch (error) {
            if (!MillraceError.is(error) || error.retryable) metadata.invalidate(sending.tp.topic);
            throw error;
          }
        },
        retryOptionsOf(sending.options),
      );
    } catch (error) {
      // It may have been written, or not.
      if (sending.numbered && sending.encoded !== undefined)
        this.sequences.forget(topicPartitionKey(sending.tp));
      throw error;
    }
  }

  private async attempt(sending: Sending, leftMs: number): Promise<ProduceResponse> {
    const { tp, batch, options } = sending;
    const { leaderId } = await this.context.metadata.leader(tp);
    const connection = await this.context.pool.toNode(leaderId, 'produce');
    // Not before: it is written at once, and the broker works on it while the next partition's batch is encoded.
    sending.encoded ??= await this.encode(sending);
    const response = (await connection.call(
      PRODUCE,
      { ...tp, acks: options.acks, timeoutMs: leftMs, batch: sending.encoded },
      { timeoutMs: leftMs },
    )) as ProduceResponse | undefined;
    if (response === undefined) return { error: 0, baseOffset: -1, message: '' };
    const { error } = response;
    if (error === 0 && sending.numbered) this.sequences.written(topicPartitionKey(tp), batch.records);
    if (error === 0 || TOO_LARGE.has(error)) return response;
    const { topic, partition } = tp;
    const details = { topic, partition };
    const failure = kafkaFailure(error, `Produce to ${topic}-${partition}`, details, response.message);
    if (!sending.numbered || !SEQUENCE_LOST.has(error)) throw failure;
    this.sequences.forget(topicPartitionKey(tp));
    sending.encoded = undefined; // to be numbered anew
    throw new MillraceError(failure.code, failure.what, { details: failure.details, retryable: true });
  }

  private async encode({ tp, batch, options, numbered }: Sending): Promise<Buffer> {
    const producer = numbered ? await this.sequences.next(topicPartitionKey(tp)) : undefined;
    return batch.encode({
      now: this.context.clock.now(),
      compression: options.compression,
      ...(producer === undefined ? {} : { producer }),
    });
  }

  private async newIdentity(): Promise<ProducerIdentity> {
    const { pool, options } = this.context;
    const connection = await pool.toAny();
    const { error, id, epoch } = await connection.call(INIT_PRODUCER_ID, null, {
      timeoutMs: Math.ceil(options.requestTimeoutMs / IDENTITY_ATTEMPTS_MIN),
    });
    if (error !== 0) throw kafkaFailure(error, 'InitProducerId (for the option "idempotent")');
    return { id, epoch };
  }
}
