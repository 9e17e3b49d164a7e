import { describe, expect, it } from '@jest/globals';
import { MillraceError, seededRandom, systemClock } from '@millrace/common';
import { Retrier } from '../retrier.ts';
import { type TopicPartition, topicPartitionKey } from '../topic-partition.ts';
import { KAFKA_ERROR } from '../wire/kafka-error.ts';
import { writeMarkers } from './transaction-markers.ts';

const OFFSETS = { topic: '__consumer_offsets', partition: 3 };
const RECORDS = { topic: 't', partition: 0 };
const MORE = { topic: 't', partition: 1 };
const TIMEOUT_MS = 4_000;

interface Given {
  /** Answers, by partition, before it is written. */
  readonly answers?: Readonly<Record<string, readonly number[]>>;
  /** What nobody knows. */
  readonly gone?: TopicPartition;
}

/** Writes markers for all three; resolves to those that were sent, in order. */
async function written({ answers = {}, gone }: Given): Promise<readonly string[]> {
  const sent: string[] = [];
  const left = new Map(Object.entries(answers).map(([key, codes]) => [key, [...codes]]));
  const context = {
    clock: systemClock,
    retrier: new Retrier(systemClock, seededRandom(1), ['b:1']),
    metadata: {
      leader: async (tp: TopicPartition) => {
        if (tp.topic === gone?.topic) throw new MillraceError('UNKNOWN_TOPIC', `no ${tp.topic}`);
        return { leaderId: 1, leaderEpoch: 1, topicId: undefined };
      },
      invalidate: () => undefined,
    },
    pool: {
      toNode: async () => ({
        call: async (_api: unknown, { partitions }: { readonly partitions: readonly TopicPartition[] }) => {
          const [tp = OFFSETS] = partitions;
          const key = topicPartitionKey(tp);
          sent.push(key);
          return [{ ...tp, error: left.get(key)?.shift() ?? 0 }];
        },
      }),
    },
  } as unknown as Parameters<typeof writeMarkers>[0];
  const partitions = [OFFSETS, RECORDS, MORE];
  await writeMarkers(
    context,
    { id: 1n, epoch: 2, commit: true, coordinatorEpoch: 5, partitions },
    TIMEOUT_MS,
  );
  return sent;
}

describe('markers in place of a coordinator', () => {
  it('tell groups last: what is not decided there is looked after', async () => {
    expect(await written({})).toEqual(['t-0', 't-1', '__consumer_offsets-3']);
  });

  it('are sent again to whoever has the partition by then', async () => {
    const { UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER } = KAFKA_ERROR;
    const answers = { 't-1': [UNKNOWN_TOPIC_OR_PARTITION, NOT_LEADER_OR_FOLLOWER] };
    expect(await written({ answers })).toEqual(['t-0', 't-1', 't-1', 't-1', '__consumer_offsets-3']);
  });

  it('leave out a topic that stays unknown', async () => {
    expect(await written({ gone: RECORDS })).toEqual(['__consumer_offsets-3']);
  });

  it.each([
    ['somebody else has the id', KAFKA_ERROR.INVALID_PRODUCER_EPOCH, 'PRODUCER_FENCED'],
    ['another coordinator has its log', KAFKA_ERROR.TRANSACTION_COORDINATOR_FENCED, 'TRANSACTION_UNKNOWN'],
    ['the user may not', KAFKA_ERROR.CLUSTER_AUTHORIZATION_FAILED, 'KAFKA_AUTH'],
  ])('end at once, and groups are not told, when %s', async (_, error, code) => {
    const asked = written({ answers: { 't-0': [error], '__consumer_offsets-3': [-1] } });
    await expect(asked).rejects.toMatchObject({ code });
  });
});
