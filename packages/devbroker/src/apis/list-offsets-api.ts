import { MillraceError } from '@millrace/common';
import {
  decodeRecordBatches,
  KAFKA_ERROR,
  type KafkaErrorNumber,
  type TopicPartition,
} from '@millrace/kafka';
import type { RequestContext } from '../protocol/api.ts';
import { defineApi } from '../protocol/api.ts';
import { array, int8, int16, int32, int64, since, string, struct, withDefault } from '../protocol/schema.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import { visibleEnd } from './isolation.ts';
import { ledPartition } from './leader-check.ts';
import { partitionsOf } from './topic-partitions.ts';

// ListOffsetsRequest's special timestamps.
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;

const request = struct({
  replicaId: int32,
  isolationLevel: since(2, int8, 0),
  topics: array(
    struct({
      name: string,
      partitions: array(struct({ index: int32, currentLeaderEpoch: since(4, int32, -1), timestamp: int64 })),
    }),
  ),
});

const response = struct({
  throttleTimeMs: since(2, int32, 0),
  topics: array(
    struct({
      name: string,
      partitions: array(
        struct({
          index: int32,
          errorCode: withDefault(int16, 0),
          timestamp: withDefault(int64, -1),
          offset: withDefault(int64, -1),
          leaderEpoch: since(4, int32, -1),
        }),
      ),
    }),
  ),
});

interface Found {
  readonly errorCode?: KafkaErrorNumber;
  readonly timestamp?: number;
  readonly offset?: number;
  readonly leaderEpoch?: number;
}

export const listOffsetsApi = defineApi({
  name: 'ListOffsets',
  minVersion: 1,
  maxVersion: 7,
  flexibleFrom: 6,
  request,
  response,
  targets: ({ topics }) => partitionsOf(topics),
  handle: ({ isolationLevel, topics }, context) => ({
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((wanted) => ({
        index: wanted.index,
        ...find(context, name, { ...wanted, isolationLevel }),
      })),
    })),
  }),
});

function find(
  context: RequestContext,
  topic: string,
  wanted: {
    readonly index: number;
    readonly currentLeaderEpoch: number;
    readonly timestamp: number;
    readonly isolationLevel: number;
  },
): Found {
  const led = ledPartition(context, topic, wanted.index, wanted.currentLeaderEpoch);
  if (!led.ok) return { errorCode: led.errorCode };
  const { log } = led.partition;
  const end = visibleEnd(log, wanted.isolationLevel);
  switch (wanted.timestamp) {
    case LATEST:
      return { offset: end, leaderEpoch: log.leaderEpoch };
    case EARLIEST:
      return { offset: log.logStartOffset, leaderEpoch: log.epochAt(log.logStartOffset) };
    case MAX_TIMESTAMP:
      return firstAtOrAfter(log, { topic, partition: wanted.index }, log.maxTimestamp());
    default:
      if (wanted.timestamp < 0) return { errorCode: KAFKA_ERROR.INVALID_REQUEST };
      return below(end, firstAtOrAfter(log, { topic, partition: wanted.index }, wanted.timestamp));
  }
}

/** Under read_committed a record that is not decided yet is none. */
function below(end: number, found: Found): Found {
  return (found.offset ?? -1) < end ? found : {};
}

/** The one place where the broker looks into records: batches tell only their greatest timestamp. */
function firstAtOrAfter(log: PartitionLog, tp: TopicPartition, timestamp: number): Found {
  try {
    return decodeUntil(log, tp, timestamp);
  } catch (error) {
    // The checksum was right when it was produced, but what it covers is no sequence of records.
    if (MillraceError.is(error)) return { errorCode: KAFKA_ERROR.CORRUPT_MESSAGE };
    throw error;
  }
}

function decodeUntil(log: PartitionLog, tp: TopicPartition, timestamp: number): Found {
  const fromOffset = log.logStartOffset;
  for (const { bytes, leaderEpoch } of log.batchesReaching(timestamp)) {
    for (const records of decodeRecordBatches(bytes, 0, bytes.length, { ...tp, fromOffset })) {
      const row = records.timestamp.subarray(0, records.n).findIndex((time) => time >= timestamp);
      if (row === -1) continue;
      return {
        offset: records.offset[row] as number,
        timestamp: records.timestamp[row] as number,
        leaderEpoch,
      };
    }
  }
  return {};
}
