import { MillraceError } from '@millrace/common';
import { unknownPartition } from '../cluster-metadata.ts';
import type { ProduceRecord } from '../kafka-port.ts';
import { recordBytesMax } from '../records/record-batch-encoder.ts';
import type { Partitioner } from './partitioner.ts';

export interface BatchLimits {
  readonly bytesMax: number;
  readonly recordsMax: number;
}

/** At least one record. */
export interface Batch {
  readonly records: readonly ProduceRecord[];
  /** What they take in a batch, at most. */
  readonly bytesMax: number;
}

/** The batches of one partition, in the order of their records. */
interface PartitionBatches {
  readonly partition: number;
  readonly batches: readonly Batch[];
}

interface OpenBatch {
  readonly records: ProduceRecord[];
  bytesMax: number;
}

interface Open {
  readonly partition: number;
  readonly batches: OpenBatch[];
  last: OpenBatch;
}

/**
 * Sorts records into batches by partition, keeping their order.
 * @throws MillraceError UNKNOWN_PARTITION, RECORD_TOO_LARGE, BAD_REQUEST: before anything is sent.
 */
export function batchesOf(
  topic: string,
  records: readonly ProduceRecord[],
  partitionCount: number,
  partitioner: Partitioner,
  limits: BatchLimits,
): readonly PartitionBatches[] {
  const open = new Map<number, Open>();
  for (const record of records) {
    const bytes = checkedBytes(topic, record, limits.bytesMax);
    const partition = partitioner.partitionOf(topic, record, bytes, partitionCount);
    if (!Number.isInteger(partition) || partition < 0 || partition >= partitionCount)
      throw unknownPartition({ topic, partition }, partitionCount);
    let of = open.get(partition);
    if (of === undefined) {
      const last: OpenBatch = { records: [], bytesMax: 0 };
      of = { partition, batches: [last], last };
      open.set(partition, of);
    } else if (of.last.bytesMax + bytes > limits.bytesMax || of.last.records.length >= limits.recordsMax) {
      of.last = { records: [], bytesMax: 0 };
      of.batches.push(of.last);
    }
    of.last.records.push(record);
    of.last.bytesMax += bytes;
  }
  return [...open.values()];
}

export function batchOf(records: readonly ProduceRecord[]): Batch {
  return { records, bytesMax: records.reduce((bytes, record) => bytes + recordBytesMax(record), 0) };
}

export function checkedBytes(topic: string, record: ProduceRecord, bytesMax: number): number {
  const bytes = recordBytesMax(record);
  if (!Number.isSafeInteger(bytes)) {
    throw new MillraceError(
      'BAD_REQUEST',
      `A record for "${topic}" has a key, value or header that is no text and no bytes`,
      {
        remedy: 'Encode it first, for example with JSON.stringify.',
        details: { topic },
      },
    );
  }
  const { timestamp } = record;
  if (timestamp !== undefined && !(Number.isSafeInteger(timestamp) && timestamp >= 0)) {
    throw new MillraceError('BAD_REQUEST', `A record for "${topic}" has the timestamp ${timestamp}`, {
      remedy: 'Give whole milliseconds since 1970, or none.',
      details: { topic },
    });
  }
  if (bytes > bytesMax) throw recordTooLarge(topic, bytes, bytesMax);
  return bytes;
}

export function recordTooLarge(topic: string, bytes: number, bytesMax?: number): MillraceError {
  const limit = bytesMax === undefined ? 'what the broker accepts' : `produceBatchBytesMax ${bytesMax}`;
  return new MillraceError(
    'RECORD_TOO_LARGE',
    `A record of ${bytes} bytes for "${topic}" is above ${limit}`,
    {
      remedy: "Make it smaller, or raise produceBatchBytesMax and the topic's max.message.bytes.",
      details: { topic, bytes },
    },
  );
}
