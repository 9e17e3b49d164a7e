import { MillraceError } from '@millrace/common';
import { coordinatorCallMs } from '../coordinators.ts';
import { kafkaFailure } from '../kafka-failure.ts';
import type { ProducerContext } from '../produce/batch-writer.ts';
import { type TransactionMarkers, WRITE_TXN_MARKERS } from '../protocol/txn-markers-api.ts';
import { type TopicPartition, topicPartitionKey } from '../topic-partition.ts';
import { KAFKA_ERROR } from '../wire/kafka-error.ts';
import { refusal, StepFailure } from './transaction-failure.ts';

type Context = Pick<ProducerContext, 'pool' | 'metadata' | 'retrier' | 'clock'>;

const OFFSETS_TOPIC = '__consumer_offsets';

/** Brokers may know less than others for a moment: only what is unknown for so long is gone. */
const GONE_AFTER_MS = 10_000;

/** Answers to a marker that no other attempt at it changes. 0: it is written. */
const FINAL: ReadonlySet<number> = new Set([
  KAFKA_ERROR.NONE,
  KAFKA_ERROR.INVALID_PRODUCER_EPOCH,
  KAFKA_ERROR.PRODUCER_FENCED,
  KAFKA_ERROR.TRANSACTION_COORDINATOR_FENCED,
]);

/**
 * Tells partitions the end of a transaction, in place of its coordinator: one request for each, so that there is nothing to be aborted when this
 * process dies in the middle of it. The offsets of groups last: while they are not decided, somebody looks after the rest. Partitions that are
 * gone are left out. `timeoutMs`: for all of them.
 * @throws MillraceError KAFKA_AUTH: it needs the right ALTER or CLUSTER_ACTION on the cluster; PRODUCER_FENCED: somebody else has the id;
 *   TRANSACTION_UNKNOWN: another coordinator has its log; KAFKA_UNREACHABLE, LEADER_CHANGED, KAFKA_PROTOCOL.
 */
export async function writeMarkers(
  context: Context,
  markers: TransactionMarkers,
  timeoutMs: number,
): Promise<void> {
  const deadline = context.clock.monotonic() + timeoutMs;
  const isOffsets = ({ topic }: TopicPartition): number => Number(topic === OFFSETS_TOPIC);
  for (const tp of markers.partitions.toSorted((a, b) => isOffsets(a) - isOffsets(b)))
    await writeMarker(context, markers, tp, Math.max(1, deadline - context.clock.monotonic()));
}

async function writeMarker(
  context: Context,
  markers: TransactionMarkers,
  tp: TopicPartition,
  timeoutMs: number,
): Promise<void> {
  const { pool, metadata, retrier, clock } = context;
  const what = `WriteTxnMarkers to ${topicPartitionKey(tp)}`;
  let unknownSince: number | undefined;
  const answered = await retrier.run(
    timeoutMs,
    async (leftMs) => {
      try {
        const { leaderId } = await metadata.leader(tp);
        unknownSince = undefined;
        const connection = await pool.toNode(leaderId, 'transaction');
        const request = { ...markers, partitions: [tp] };
        const [answer] = await connection.call(WRITE_TXN_MARKERS, request, {
          timeoutMs: coordinatorCallMs(leftMs, timeoutMs),
        });
        const code = answer?.error ?? KAFKA_ERROR.UNKNOWN_SERVER_ERROR;
        if (FINAL.has(code)) return code;
        throw code === KAFKA_ERROR.UNKNOWN_TOPIC_OR_PARTITION
          ? elsewhere(tp, what)
          : kafkaFailure(code, what, { ...tp });
      } catch (error) {
        metadata.invalidate(tp.topic);
        if (!isUnknown(error)) throw error;
        unknownSince ??= clock.monotonic();
        if (clock.monotonic() - unknownSince >= Math.min(GONE_AFTER_MS, timeoutMs / 2))
          return KAFKA_ERROR.NONE;
        throw elsewhere(tp, what);
      }
    },
    { isPatient: true },
  );
  if (answered !== KAFKA_ERROR.NONE) throw final(answered, what);
}

function isUnknown(error: unknown): boolean {
  return MillraceError.is(error, 'UNKNOWN_TOPIC') || MillraceError.is(error, 'UNKNOWN_PARTITION');
}

function elsewhere(tp: TopicPartition, what: string): MillraceError {
  return new MillraceError('LEADER_CHANGED', `${what} failed: the broker does not have the partition`, {
    details: { ...tp },
  });
}

function final(error: number, what: string): Error {
  if (error === KAFKA_ERROR.TRANSACTION_COORDINATOR_FENCED) {
    return new MillraceError('TRANSACTION_UNKNOWN', `${what} failed: another coordinator has taken over`, {
      retryable: true,
    });
  }
  const failure = refusal(error, what);
  return failure instanceof StepFailure ? failure.error : failure;
}
