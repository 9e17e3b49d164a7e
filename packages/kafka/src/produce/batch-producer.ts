import { MillraceError } from '@millrace/common';
import { clientClosed } from '../kafka-failure.ts';
import type { KafkaProducer, ProducedRange, ProduceOptions, ProduceRecord } from '../kafka-port.ts';
import { COMPRESSIONS } from '../records/compression.ts';
import { type TopicPartition, topicPartitionKey } from '../topic-partition.ts';
import { type BatchSink, BatchWriter, type ProducerContext, type WriteOptions } from './batch-writer.ts';
import { Partitioner } from './partitioner.ts';
import { batchesOf } from './record-accumulator.ts';
import { RecordStream, type RecordStreamOptions } from './record-stream.ts';
import { Turnstile } from './turnstile.ts';
import { type WritableBatch, writableBatch } from './writable-batch.ts';

/**
 * One batch in flight per partition, so that retries keep the order; several partitions at the same time. A batch is encoded when its
 * turn has come: memory is bounded by `producePartitionsInFlightMax` batches.
 */
export class BatchProducer implements KafkaProducer {
  private readonly context: ProducerContext;
  private readonly partitioner: Partitioner;
  private readonly turnstile: Turnstile;
  private readonly writer: BatchSink;
  /** The end of the queue of each partition that has one. */
  private readonly tails = new Map<string, Promise<unknown>>();
  private closed = false;

  constructor(context: ProducerContext, writer: BatchSink = new BatchWriter(context)) {
    const { options, random } = context;
    this.context = context;
    this.partitioner = new Partitioner(random, options.produceBatchBytesMax);
    this.turnstile = new Turnstile(options.producePartitionsInFlightMax);
    this.writer = writer;
  }

  async send(
    topic: string,
    records: readonly ProduceRecord[],
    given: ProduceOptions = {},
  ): Promise<readonly ProducedRange[]> {
    if (this.closed) throw clientClosed();
    if (records.length === 0) return [];
    const { options, metadata, retrier } = this.context;
    const resolved = checked({
      acks: given.acks ?? options.acks,
      compression: given.compression ?? options.compression,
    });
    const { partitions } = await retrier.run(options.requestTimeoutMs, async () => {
      const known = await metadata.topic(topic);
      // A partition may be new: look with fresh eyes before saying that it does not exist.
      const count = known.partitions.length;
      return records.some(({ partition = 0 }) => partition >= count) ? metadata.refresh(topic) : known;
    });
    const work = batchesOf(topic, records, partitions.length, this.partitioner, {
      bytesMax: options.produceBatchBytesMax,
      recordsMax: options.produceBatchRecordsMax,
    });
    // All have ended, well or not, before the caller hears of it: nothing of a failed send is written later.
    const results = await Promise.allSettled(
      work.map(({ partition, batches }) =>
        this.write({ topic, partition }, batches.map(writableBatch), resolved),
      ),
    );
    const produced: ProducedRange[] = [];
    for (const result of results) {
      if (result.status === 'rejected') throw result.reason;
      produced.push(...result.value);
    }
    return produced;
  }

  stream(options: RecordStreamOptions): RecordStream {
    if (this.closed) throw clientClosed();
    const { metadata, retrier, clock, options: client } = this.context;
    const { acks = client.acks, compression = client.compression } = options;
    const resolved = { ...options, ...checked({ acks, compression }) };
    return new RecordStream(
      {
        metadata,
        retrier,
        clock,
        batchBytesMax: client.produceBatchBytesMax,
        batchRecordsMax: client.produceBatchRecordsMax,
        write: async (tp, batch, write) => this.write(tp, [batch], write),
      },
      resolved,
    );
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.allSettled(this.tails.values());
  }

  /** Behind what was sent to the same partition before. */
  private async write(
    tp: TopicPartition,
    batches: readonly WritableBatch[],
    options: WriteOptions,
  ): Promise<ProducedRange[]> {
    const key = topicPartitionKey(tp);
    const before = this.tails.get(key);
    const run = async (): Promise<ProducedRange[]> => {
      await before?.catch(() => {});
      const produced: ProducedRange[] = [];
      for (const batch of batches) {
        const written = await this.turnstile.run(() => this.writer.write(tp, batch, options));
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
}

function checked(options: WriteOptions): WriteOptions {
  const { acks, compression } = options;
  if ([-1, 0, 1].includes(acks) && COMPRESSIONS.includes(compression)) return options;
  throw new MillraceError(
    'BAD_REQUEST',
    `records cannot be sent with acks ${acks} and compression ${compression}`,
    {
      remedy: `Give acks -1, 0 or 1 and one of ${COMPRESSIONS.join(', ')}.`,
    },
  );
}

/** Joins ranges that follow each other. */
function append(ranges: ProducedRange[], range: ProducedRange): void {
  const last = ranges.at(-1);
  if (last !== undefined && last.baseOffset >= 0 && last.baseOffset + last.records === range.baseOffset)
    ranges[ranges.length - 1] = { ...last, records: last.records + range.records };
  else ranges.push(range);
}
