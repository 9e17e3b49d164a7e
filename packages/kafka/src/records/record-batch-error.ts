import { MillraceError } from '@millrace/common';
import type { TopicPartition } from '../topic-partition.ts';

/** A batch whose bytes cannot be trusted. `offset`: the first offset of the batch as it claims. */
export function corruptBatch(
  tp: TopicPartition,
  offset: number,
  why: string,
  cause?: unknown,
): MillraceError {
  return new MillraceError(
    'RECORD_BATCH_CORRUPT',
    `The record batch at offset ${offset} of ${tp.topic}-${tp.partition} is damaged: ${why}`,
    {
      cause,
      remedy:
        'Read it again; if it stays, a disk or a producer has damaged it: compare replicas, or start after it.',
      details: { topic: tp.topic, partition: tp.partition, offset },
    },
  );
}

export function unsupportedBatch(tp: TopicPartition, offset: number, magic: number): MillraceError {
  return new MillraceError(
    'RECORD_BATCH_UNSUPPORTED',
    `The record batch at offset ${offset} of ${tp.topic}-${tp.partition} has message format ${magic}; only format 2 (Kafka 0.11 and later) is read`,
    {
      remedy: 'Copy the topic with a current client; Kafka 4 no longer writes or keeps older formats.',
      details: { topic: tp.topic, partition: tp.partition, offset, magic },
    },
  );
}

export function unsafeOffset(tp: TopicPartition, value: bigint): MillraceError {
  return new MillraceError(
    'OFFSET_UNSAFE',
    `${tp.topic}-${tp.partition} has the offset ${value}, which is beyond 2^53−1`,
    { details: { topic: tp.topic, partition: tp.partition, offset: String(value) } },
  );
}
