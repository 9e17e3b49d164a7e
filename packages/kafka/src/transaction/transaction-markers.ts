import { MillraceError } from '@millrace/common';
import { kafkaFailure } from '../kafka-failure.ts';
import type { ProducerContext } from '../produce/batch-writer.ts';
import { type TransactionMarkers, WRITE_TXN_MARKERS } from '../protocol/txn-markers-api.ts';
import { type TopicPartition, topicPartitionKey } from '../topic-partition.ts';
import { KAFKA_ERROR } from '../wire/kafka-error.ts';

/**
 * Tells partitions the end of a transaction, in place of its coordinator: one request for each, so that there is nothing to be aborted when this
 * process dies in the middle of it. Partitions that are gone are left out.
 * @throws MillraceError KAFKA_AUTH: it needs the right ALTER or CLUSTER_ACTION on the cluster; KAFKA_UNREACHABLE, LEADER_CHANGED; KAFKA_PROTOCOL,
 *   also when a newer producer has taken the id over.
 */
export async function writeMarkers(
  context: Pick<ProducerContext, 'pool' | 'metadata' | 'retrier'>,
  markers: TransactionMarkers,
  timeoutMs: number,
): Promise<void> {
  for (const tp of markers.partitions) {
    await context.retrier.run(timeoutMs, async (leftMs) => writeMarker(context, markers, tp, leftMs), {
      isPatient: true,
    });
  }
}

async function writeMarker(
  { pool, metadata }: Pick<ProducerContext, 'pool' | 'metadata'>,
  markers: TransactionMarkers,
  tp: TopicPartition,
  timeoutMs: number,
): Promise<void> {
  try {
    const { leaderId } = await metadata.leader(tp);
    const connection = await pool.toNode(leaderId, 'transaction');
    const request = { ...markers, partitions: [tp] };
    const [answer] = await connection.call(WRITE_TXN_MARKERS, request, { timeoutMs });
    const error = answer?.error ?? KAFKA_ERROR.UNKNOWN_SERVER_ERROR;
    if (error === KAFKA_ERROR.NONE) return;
    throw kafkaFailure(error, `WriteTxnMarkers to ${topicPartitionKey(tp)}`, { ...tp });
  } catch (error) {
    metadata.invalidate(tp.topic);
    if (MillraceError.is(error, 'UNKNOWN_TOPIC')) return;
    throw error;
  }
}
