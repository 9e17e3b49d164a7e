import { MillraceError } from '@millrace/common';
import { kafkaFailure } from './kafka-failure.ts';
import type { IsolationLevel } from './kafka-port.ts';
import type { FetchResponse } from './protocol/fetch-api.ts';
import { type TopicPartition, topicPartitionKey } from './topic-partition.ts';
import { KAFKA_ERROR } from './wire/kafka-error.ts';

/** Where a log begins (inclusive) and ends (exclusive); −1 when the broker did not tell. */
export interface LogBounds {
  readonly earliest: number;
  readonly latest: number;
}

/** What the broker's error number means for a read at `offset`; OFFSET_OUT_OF_RANGE is to be told by `offsetOutOfRange`. */
export function fetchRefused(tp: TopicPartition, offset: number, error: number): MillraceError {
  const what = `Fetch of ${topicPartitionKey(tp)} at offset ${offset}`;
  const details = { topic: tp.topic, partition: tp.partition, offset };
  switch (error) {
    case KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION:
    case KAFKA_ERROR.UNKNOWN_TOPIC_ID:
    case KAFKA_ERROR.INCONSISTENT_TOPIC_ID:
      // The metadata is asked again, and tells whether it was deleted or recreated.
      return new MillraceError('LEADER_CHANGED', `${what}: the broker does not have the partition`, {
        details,
      });
    case KAFKA_ERROR.CORRUPT_MESSAGE:
      return new MillraceError(
        'RECORD_BATCH_CORRUPT',
        `${what}: the broker found its own record batch damaged`,
        { details },
      );
    default:
      return kafkaFailure(error, what, details);
  }
}

export function offsetOutOfRange(
  tp: TopicPartition,
  offset: number,
  { earliest, latest }: LogBounds,
): MillraceError {
  const below = offset < earliest;
  return new MillraceError(
    'OFFSET_OUT_OF_RANGE',
    below
      ? `Offset ${offset} of ${topicPartitionKey(tp)} is below the log start ${earliest}: retention deleted records that are still needed`
      : `Offset ${offset} of ${topicPartitionKey(tp)} is above the log end ${latest}`,
    {
      remedy: below
        ? "Raise the topic's retention, or restart with a later offset."
        : 'Check that the offsets are of this topic and cluster.',
      details: { ...tp, offset, earliest, latest },
    },
  );
}

export function logTruncated(
  tp: TopicPartition,
  position: { readonly offset: number; readonly epoch: number },
  end: { readonly epoch: number; readonly endOffset: number },
): MillraceError {
  return new MillraceError(
    'LOG_TRUNCATED',
    `${topicPartitionKey(tp)} was truncated: epoch ${position.epoch} was read up to offset ${position.offset}, but the leader's log has epoch ${end.epoch} end at ${end.endOffset}`,
    {
      remedy:
        'An unclean leader election lost records that were read already. Decide what to do with them, then restart from the end offset named.',
      details: { ...tp, offset: position.offset, epoch: end.epoch, endOffset: end.endOffset },
    },
  );
}

export function topicRecreated(
  { topic, partition }: TopicPartition,
  topicId: string,
  newTopicId: string,
): MillraceError {
  return new MillraceError(
    'TOPIC_RECREATED',
    `The topic "${topic}" was deleted and created again: its id is ${newTopicId}, the offsets to read are of ${topicId}`,
    {
      remedy: 'The old records are gone. Start over from the new topic: its offsets begin at 0.',
      details: { topic, partition, topicId, newTopicId },
    },
  );
}

/** The broker answered in good order for `ms`, last with `idle`, but gave no records. */
export function noProgress(
  tp: TopicPartition,
  position: { readonly offset: number; readonly untilOffset: number },
  isolation: IsolationLevel,
  ms: number,
  idle: FetchResponse | undefined,
): MillraceError {
  const committedOnly = isolation === 'read_committed';
  const end = idle === undefined ? -1 : committedOnly ? idle.lastStableOffset : idle.highWatermark;
  const { offset, untilOffset } = position;
  const details = { ...tp, offset, untilOffset };
  if (end < 0 || end >= untilOffset) {
    return new MillraceError(
      'DEADLINE_EXCEEDED',
      `No records of ${topicPartitionKey(tp)} came from offset ${offset} on within ${ms} ms`,
      { details },
    );
  }
  return new MillraceError(
    'OFFSET_OUT_OF_RANGE',
    `The range of ${topicPartitionKey(tp)} ends at ${untilOffset}, but its ${committedOnly ? 'last stable offset' : 'high watermark'} stayed at ${end} for ${ms} ms`,
    {
      remedy: committedOnly
        ? 'Check for a hanging transaction, or whether the offsets are of this topic.'
        : 'Check that the offsets are of this topic and cluster.',
      details: { ...details, earliest: idle?.logStartOffset ?? -1, latest: end },
    },
  );
}
