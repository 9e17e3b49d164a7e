import { KAFKA_ERROR } from '@millrace/kafka';
import { defineApi } from '../protocol/api.ts';
import { array, int16, int32, int64, since, string, struct, withDefault } from '../protocol/schema.ts';
import { ledPartition } from './leader-check.ts';

/** OffsetForLeaderEpoch: where an epoch ended, so that a client sees that the log was truncated below it (KIP-320). */
export const offsetForLeaderEpochApi = defineApi({
  name: 'OffsetForLeaderEpoch',
  minVersion: 2,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    replicaId: since(3, int32, -2),
    topics: array(
      struct({
        topic: string,
        partitions: array(struct({ partition: int32, currentLeaderEpoch: int32, leaderEpoch: int32 })),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    topics: array(
      struct({
        topic: string,
        partitions: array(
          struct({ errorCode: int16, partition: int32, leaderEpoch: int32, endOffset: int64 }),
        ),
      }),
    ),
  }),
  targets: ({ topics }) =>
    topics.flatMap(({ topic, partitions }) => partitions.map(({ partition }) => ({ topic, partition }))),
  handle: ({ topics }, context) => ({
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        const led = ledPartition(context, topic, partition, currentLeaderEpoch);
        if (!led.ok) return { errorCode: led.errorCode, partition, leaderEpoch: -1, endOffset: -1 };
        const { epoch, endOffset } = led.partition.log.endOffsetForEpoch(leaderEpoch);
        return { errorCode: KAFKA_ERROR.NONE, partition, leaderEpoch: epoch, endOffset };
      }),
    })),
  }),
});
