import { KAFKA_ERROR, type KafkaErrorNumber } from '@millrace/kafka';
import type { BrokerState } from '../broker-state.ts';
import type { RequestContext } from '../protocol/api.ts';
import { defineApi } from '../protocol/api.ts';
import {
  array,
  chunkedBytes,
  int8,
  int16,
  int32,
  int64,
  nullableArray,
  type ReadOf,
  since,
  string,
  struct,
  tagged,
  upTo,
  uuid,
  type WriteOf,
  withDefault,
  ZERO_UUID,
} from '../protocol/schema.ts';
import type { PartitionLog } from '../storage/partition-log.ts';
import { isCommittedOnly, visibleEnd } from './isolation.ts';
import { ledPartition } from './leader-check.ts';

// Kafka's default of fetch.max.bytes: whatever a client asks for, an answer is not much larger.
const FETCH_BYTES_MAX = 55 * 1024 * 1024;

const fetchPartition = struct({
  partition: int32,
  currentLeaderEpoch: since(9, int32, -1),
  fetchOffset: int64,
  lastFetchedEpoch: since(12, int32, -1),
  logStartOffset: since(5, int64, -1),
  partitionMaxBytes: int32,
});

const fetchRequest = struct({
  replicaId: upTo(14, int32, -1),
  maxWaitMs: int32,
  minBytes: int32,
  maxBytes: int32,
  isolationLevel: int8,
  sessionId: since(7, int32, 0),
  sessionEpoch: since(7, int32, -1),
  topics: array(
    struct({
      topic: upTo(12, string, ''),
      topicId: since(13, uuid, ZERO_UUID),
      partitions: array(fetchPartition),
    }),
  ),
  forgottenTopics: since(
    7,
    array(
      struct({ topic: upTo(12, string, ''), topicId: since(13, uuid, ZERO_UUID), partitions: array(int32) }),
    ),
    [],
  ),
  rackId: since(11, string, ''),
});

const partitionResponse = struct({
  partition: int32,
  errorCode: int16,
  highWatermark: int64,
  lastStableOffset: int64,
  logStartOffset: since(5, int64, -1),
  abortedTransactions: withDefault(nullableArray(struct({ producerId: int64, firstOffset: int64 })), null),
  preferredReadReplica: since(11, int32, -1),
  records: chunkedBytes,
  divergingEpoch: tagged(0, 12, struct({ epoch: int32, endOffset: int64 })),
  currentLeader: tagged(1, 12, struct({ leaderId: int32, leaderEpoch: int32 })),
});

const fetchResponse = struct({
  throttleTimeMs: withDefault(int32, 0),
  errorCode: since(7, int16, 0),
  // Always 0: the broker keeps no fetch sessions, so every request is a full one (KIP-227).
  sessionId: since(7, int32, 0),
  topics: array(
    struct({
      topic: upTo(12, string, ''),
      topicId: since(13, uuid, ZERO_UUID),
      partitions: array(partitionResponse),
    }),
  ),
});

type Request = ReadOf<typeof fetchRequest>;
type FetchPartition = ReadOf<typeof fetchPartition>;
type PartitionResponse = WriteOf<typeof partitionResponse>;

export const fetchApi = defineApi({
  name: 'Fetch',
  minVersion: 4,
  maxVersion: 16,
  flexibleFrom: 12,
  request: fetchRequest,
  response: fetchResponse,
  targets: ({ topics }, state) =>
    topics.flatMap((entry) =>
      entry.partitions.map(({ partition }) => ({ topic: topicName(state, entry) ?? '', partition })),
    ),
  async handle(request, context) {
    // A session id that this broker never gave: the client starts anew with a full request.
    if (request.sessionId !== 0) return { errorCode: KAFKA_ERROR.FETCH_SESSION_ID_NOT_FOUND, topics: [] };
    // As Apache Kafka does to a client above its quota: it gets nothing but the time.
    if (context.faults.throttleMs > 0) return { throttleTimeMs: context.faults.throttleMs, topics: [] };
    await untilAnswerable(request, context);
    return { topics: readAll(request, context) };
  },
});

function topicName(
  state: BrokerState,
  entry: { readonly topic: string; readonly topicId: string },
): string | undefined {
  return entry.topicId === ZERO_UUID ? entry.topic : state.topics.getById(entry.topicId)?.name;
}

interface DivergingEpoch {
  readonly epoch: number;
  readonly endOffset: number;
}

type Readable =
  | { readonly log: PartitionLog; readonly divergingEpoch: DivergingEpoch | undefined }
  | { readonly errorCode: KafkaErrorNumber };

function readable(context: RequestContext, name: string | undefined, wanted: FetchPartition): Readable {
  if (name === undefined) {
    return { errorCode: context.faults.errorFor('', wanted.partition) ?? KAFKA_ERROR.UNKNOWN_TOPIC_ID };
  }
  const led = ledPartition(context, name, wanted.partition, wanted.currentLeaderEpoch);
  if (!led.ok) return { errorCode: led.errorCode };
  const { log } = led.partition;
  if (wanted.lastFetchedEpoch >= 0) {
    // Where the client's log and this one part, told by the epoch of what it read last (KIP-595).
    const { epoch, endOffset } = log.endOffsetForEpoch(wanted.lastFetchedEpoch);
    if (epoch < 0) return { errorCode: KAFKA_ERROR.OFFSET_OUT_OF_RANGE };
    if (epoch < wanted.lastFetchedEpoch || endOffset < wanted.fetchOffset) {
      return { log, divergingEpoch: { epoch, endOffset } };
    }
  }
  if (wanted.fetchOffset < log.logStartOffset || wanted.fetchOffset > log.logEndOffset) {
    return { errorCode: KAFKA_ERROR.OFFSET_OUT_OF_RANGE };
  }
  return { log, divergingEpoch: undefined };
}

/** Waits until the request has its minimum of bytes, has something else to tell, or its time is over. */
async function untilAnswerable(request: Request, context: RequestContext): Promise<void> {
  if (request.maxWaitMs <= 0 || context.signal.aborted || answerable(request, context)) return;
  const logs = logsOf(request, context);
  const { promise, resolve } = Promise.withResolvers<void>();
  const check = () => {
    if (answerable(request, context)) resolve();
  };
  const unsubscribe = logs.map((log) => log.onChange(check));
  const timer = context.state.clock.schedule(request.maxWaitMs, resolve, { unref: true });
  const stop = () => resolve();
  context.signal.addEventListener('abort', stop);
  try {
    await promise;
  } finally {
    context.signal.removeEventListener('abort', stop);
    timer.cancel();
    for (const stopListening of unsubscribe) stopListening();
  }
}

function logsOf(request: Request, context: RequestContext): readonly PartitionLog[] {
  return request.topics.flatMap((entry) => {
    const name = topicName(context.state, entry);
    return entry.partitions.flatMap((wanted) => {
      const found = readable(context, name, wanted);
      return 'log' in found ? [found.log] : [];
    });
  });
}

function answerable(request: Request, context: RequestContext): boolean {
  let bytes = 0;
  let partitions = 0;
  for (const entry of request.topics) {
    const name = topicName(context.state, entry);
    for (const wanted of entry.partitions) {
      partitions += 1;
      const found = readable(context, name, wanted);
      if ('errorCode' in found || found.divergingEpoch !== undefined) return true;
      const { log } = found;
      const end = visibleEnd(log, request.isolationLevel);
      bytes += log.availableBytes(wanted.fetchOffset, Math.max(1, request.minBytes), end);
      if (bytes >= request.minBytes) return true;
    }
  }
  return partitions === 0;
}

function readAll(request: Request, context: RequestContext) {
  let left = Math.min(request.maxBytes, FETCH_BYTES_MAX);
  // The first partition that has anything gives at least one batch, whatever the limits (KIP-74).
  let wholeFirstBatch = true;
  return request.topics.map((entry) => {
    const name = topicName(context.state, entry);
    const partitions = entry.partitions.map((wanted): PartitionResponse => {
      const found = readable(context, name, wanted);
      if ('errorCode' in found) return failure(context, name, wanted.partition, found.errorCode);
      const { log, divergingEpoch } = found;
      const records =
        divergingEpoch === undefined
          ? log.read(
              wanted.fetchOffset,
              Math.min(left, wanted.partitionMaxBytes),
              wholeFirstBatch,
              visibleEnd(log, request.isolationLevel),
            )
          : [];
      if (records.length > 0) wholeFirstBatch = false;
      left = Math.max(0, left - records.reduce((sum, chunk) => sum + chunk.length, 0));
      return {
        partition: wanted.partition,
        errorCode: KAFKA_ERROR.NONE,
        highWatermark: log.logEndOffset,
        lastStableOffset: log.lastStableOffset,
        logStartOffset: log.logStartOffset,
        abortedTransactions: isCommittedOnly(request.isolationLevel)
          ? log.abortedIn(wanted.fetchOffset, log.lastStableOffset)
          : null,
        records,
        divergingEpoch,
      };
    });
    return { topic: entry.topic, topicId: entry.topicId, partitions };
  });
}

function failure(
  context: RequestContext,
  name: string | undefined,
  partition: number,
  errorCode: KafkaErrorNumber,
): PartitionResponse {
  const moved =
    errorCode === KAFKA_ERROR.NOT_LEADER_OR_FOLLOWER || errorCode === KAFKA_ERROR.FENCED_LEADER_EPOCH;
  const current =
    moved && name !== undefined ? context.state.topics.partition({ topic: name, partition }) : undefined;
  return {
    partition,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    records: [],
    currentLeader:
      current === undefined
        ? undefined
        : { leaderId: current.leaderId, leaderEpoch: current.log.leaderEpoch },
  };
}
