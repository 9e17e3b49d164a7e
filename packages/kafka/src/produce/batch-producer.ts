import { type Clock, MillraceError, type Random } from '@millrace/common';
import type { ClusterMetadata } from '../cluster-metadata.ts';
import type { BrokerPool } from '../connection/broker-pool.ts';
import { clientClosed, kafkaFailure } from '../kafka-failure.ts';
import type { KafkaOptions } from '../kafka-options.ts';
import type {
  Compression,
  KafkaProducer,
  ProducedRange,
  ProduceOptions,
  ProduceRecord,
} from '../kafka-port.ts';
import { PRODUCE, type ProduceResponse } from '../protocol/produce-api.ts';
import { encodeRecordBatch, recordBytesMax } from '../records/record-batch-encoder.ts';
import type { Retrier } from '../retrier.ts';
import { type TopicPartition, topicPartitionKey } from '../topic-partition.ts';
import { KAFKA_ERROR } from '../wire/kafka-error.ts';
import { Partitioner } from './partitioner.ts';
import {
  type Batch,
  batchesOf,
  batchOf,
  type PartitionBatches,
  recordTooLarge,
} from './record-accumulator.ts';
import { Turnstile } from './turnstile.ts';

export interface ProducerContext {
  readonly pool: BrokerPool;
  readonly metadata: ClusterMetadata;
  readonly retrier: Retrier;
  readonly options: KafkaOptions;
  readonly clock: Clock;
  readonly random: Random;
}

type Resolved = Required<ProduceOptions>;

const TOO_LARGE: ReadonlySet<number> = new Set([
  KAFKA_ERROR.MESSAGE_TOO_LARGE,
  KAFKA_ERROR.RECORD_LIST_TOO_LARGE,
]);

/**
 * One batch in flight per partition, so that retries keep the order; several partitions at the same time. A batch is encoded when its
 * turn has come: memory is bounded by `producePartitionsInFlightMax` batches. Not idempotent: a batch whose acknowledgement was lost is
 * written again.
 */
export class BatchProducer implements KafkaProducer {
  private readonly context: ProducerContext;
  private readonly partitioner: Partitioner;
  private readonly turnstile: Turnstile;
  /** The end of the queue of each partition that has one. */
  private readonly tails = new Map<string, Promise<unknown>>();
  private closed = false;

  constructor(context: ProducerContext) {
    const { options, random } = context;
    this.context = context;
    this.partitioner = new Partitioner(random, options.produceBatchBytesMax);
    this.turnstile = new Turnstile(options.producePartitionsInFlightMax);
  }

  async send(
    topic: string,
    records: readonly ProduceRecord[],
    given: ProduceOptions = {},
  ): Promise<readonly ProducedRange[]> {
    if (this.closed) throw clientClosed();
    if (records.length === 0) return [];
    const { options, metadata, retrier } = this.context;
    const resolved: Resolved = {
      acks: given.acks ?? options.acks,
      compression: given.compression ?? options.compression,
    };
    const { partitions } = await retrier.run(options.requestTimeoutMs, async () => metadata.topic(topic));
    const work = batchesOf(topic, records, partitions.length, this.partitioner, {
      bytesMax: options.produceBatchBytesMax,
      recordsMax: options.produceBatchRecordsMax,
    });
    // All have ended, well or not, before the caller hears of it: nothing of a failed send is written later.
    const results = await Promise.allSettled(work.map((batches) => this.enqueue(topic, batches, resolved)));
    const produced: ProducedRange[] = [];
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      produced.push(...result.value);
    }
    return produced;
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.tails.values());
  }

  /** Behind what was sent to the same partition before. */
  private async enqueue(
    topic: string,
    { partition, batches }: PartitionBatches,
    options: Resolved,
  ): Promise<ProducedRange[]> {
    const tp = { topic, partition };
    const key = topicPartitionKey(tp);
    const before = this.tails.get(key);
    const run = async (): Promise<ProducedRange[]> => {
      await before?.catch(() => {});
      const produced: ProducedRange[] = [];
      for (const batch of batches) {
        const written = await this.turnstile.run(() => this.write(tp, batch, options));
        for (const range of written) append(produced, range);
      }
      return produced;
    };
    const running = run();
    this.tails.set(key, running);
    try {
      return await running;
    } finally {
      if (this.tails.get(key) === running) this.tails.delete(key);
    }
  }

  /** Writes one batch, in halves when the broker finds it too large. */
  private async write(tp: TopicPartition, batch: Batch, options: Resolved): Promise<ProducedRange[]> {
    const { records } = batch;
    const response = await this.request(tp, batch, options);
    if (!TOO_LARGE.has(response.error))
      return [{ ...tp, baseOffset: response.baseOffset, records: records.length }];
    const [first] = records;
    if (records.length === 1 && first !== undefined) throw recordTooLarge(tp.topic, recordBytesMax(first));
    const half = records.length >> 1;
    const head = await this.write(tp, batchOf(records.slice(0, half)), options);
    return [...head, ...(await this.write(tp, batchOf(records.slice(half)), options))];
  }

  private encode({ records, bytesMax }: Batch, compression: Compression): Buffer {
    return encodeRecordBatch(records, {
      now: this.context.clock.now(),
      compression,
      recordsBytesMax: bytesMax,
    });
  }

  private async request(tp: TopicPartition, batch: Batch, options: Resolved): Promise<ProduceResponse> {
    const { pool, metadata, retrier } = this.context;
    let encoded: Buffer | undefined;
    return retrier.run(this.context.options.requestTimeoutMs, async (leftMs) => {
      try {
        const { leaderId } = await metadata.leader(tp);
        const connection = await pool.toNode(leaderId, 'produce');
        // Not before: it is written at once, and the broker works on it while the next partition's batch is encoded.
        encoded ??= this.encode(batch, options.compression);
        const response = (await connection.call(
          PRODUCE,
          { ...tp, acks: options.acks, timeoutMs: leftMs, batch: encoded },
          { timeoutMs: leftMs },
        )) as ProduceResponse | undefined;
        if (response === undefined) return { error: 0, baseOffset: -1, message: '' };
        if (response.error === 0 || TOO_LARGE.has(response.error)) return response;
        throw produceFailure(tp, response);
      } catch (error) {
        if (!MillraceError.is(error) || error.retryable) metadata.invalidate(tp.topic);
        throw error;
      }
    });
  }
}

function produceFailure(
  { topic, partition }: TopicPartition,
  { error, message }: ProduceResponse,
): MillraceError {
  return kafkaFailure(error, `Produce to ${topic}-${partition}`, { topic, partition }, message);
}

/** Joins ranges that follow each other. */
function append(ranges: ProducedRange[], range: ProducedRange): void {
  const last = ranges.at(-1);
  if (last !== undefined && last.baseOffset >= 0 && last.baseOffset + last.records === range.baseOffset)
    ranges[ranges.length - 1] = { ...last, records: last.records + range.records };
  else ranges.push(range);
}
