import { MillraceError } from '@millrace/common';
import type { ClusterMetadata, Leadership } from './cluster-metadata.ts';
import type { BrokerConnection } from './connection/broker-connection.ts';
import type { BrokerPool } from './connection/broker-pool.ts';
import type { PayloadPool } from './connection/payload-pool.ts';
import { BrokerFailure, kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { IsolationLevel } from './kafka-port.ts';
import type { OffsetLister } from './offset-lister.ts';
import { FETCH, FETCH_BY_TOPIC_ID, FETCH_DIVERGING_EPOCH, type FetchResponse } from './protocol/fetch-api.ts';
import { OFFSET_FOR_LEADER_EPOCH } from './protocol/offsets-api.ts';
import { type BatchScan, scanRecordBatches } from './records/record-batch-scanner.ts';
import type { Retrier } from './retrier.ts';
import { type TopicPartition, topicPartitionKey } from './topic-partition.ts';
import { isRetryableKafkaError, KAFKA_ERROR } from './wire/kafka-error.ts';

/** Where a read stands. It moves forward only. */
export interface ReadPosition {
  readonly offset: number;
  /** Leader epoch of the record before `offset`; −1: unknown. */
  readonly epoch: number;
  /** The end of the range: no batch that begins there or later is needed. */
  readonly untilOffset: number;
}

/** A response that takes the position forward. */
export interface Fetched {
  readonly response: FetchResponse;
  readonly scan: BatchScan;
  /** After the last complete batch: at least one more than the offset that was asked for. */
  readonly next: ReadPosition;
}

/** What all readers of a client share. */
export interface FetchContext {
  readonly pool: BrokerPool;
  /** Takes back the payloads of responses that were read. */
  readonly payloads: PayloadPool;
  readonly metadata: ClusterMetadata;
  readonly offsets: OffsetLister;
  readonly retrier: Retrier;
  readonly options: KafkaOptions;
  readonly now: () => number;
  /** Prints once a client that this broker cannot tell a recreated topic. */
  readonly warnOfFetchByName: (address: string) => void;
}

/** How long a topic may be unknown to the brokers before it counts as deleted: metadata spreads in this time. */
const TOPIC_GRACE_MS = 2000;
const BYTES_PER_OFFSET_GUESS = 1024;
const BYTES_ASKED_MIN = 64 * 1024;
/** Waiting for the last ms of a deadline would be one request after the other. */
const WAIT_MS_MIN = 1;

/** Fetches from the leader of one partition; finds it again when it moves. */
export class PartitionFetcher {
  private readonly context: FetchContext;
  private readonly tp: TopicPartition;
  private readonly committedOnly: boolean;
  /** The topic that is meant: the one that was asked for, or else the first one that is met. */
  private topicId: string | undefined;
  private readonly isolation: IsolationLevel;
  private bytesPerOffset = BYTES_PER_OFFSET_GUESS;
  private bytesAskedMin = BYTES_ASKED_MIN;
  /** The leader epoch under which the position was last found to be in the leader's log (brokers before Fetch v12). */
  private validatedEpoch = -1;

  constructor(
    context: FetchContext,
    tp: TopicPartition,
    isolation: IsolationLevel,
    topicId: string | undefined,
  ) {
    this.context = context;
    this.tp = tp;
    this.isolation = isolation;
    this.committedOnly = isolation === 'read_committed';
    this.topicId = topicId;
  }

  /** Fetches until the position moves, for at most `fetchTimeoutMs`. `signal` ends the waits between attempts. */
  async fetch(position: ReadPosition, signal: AbortSignal): Promise<Fetched> {
    const { retrier, options, now, metadata } = this.context;
    const deadline = now() + options.fetchTimeoutMs;
    let unknownSince: number | undefined;
    let epoch = position.epoch;
    for (let tries = 0; ; tries++) {
      const left = deadline - now();
      let failure: unknown;
      let idle: FetchResponse | undefined;
      try {
        const response = await this.attempt({ ...position, epoch }, Math.max(WAIT_MS_MIN, left));
        if (response.error === 0) {
          const fetched = this.progressOf(position, response);
          if (fetched !== undefined) return fetched;
          tries = -1;
          idle = response;
        } else {
          failure = await this.failureOf(position, response.error);
          // Kafka no longer knows where that epoch ended: only the offset itself can be checked.
          if (failure === undefined) epoch = -1;
        }
      } catch (error) {
        failure = error;
      }
      if (signal.aborted) throw new MillraceError('CANCELLED', 'the read was abandoned');
      if (failure !== undefined) {
        if (!this.isPassing(failure)) throw failure;
        metadata.invalidate(this.tp.topic);
        if (MillraceError.is(failure, 'UNKNOWN_TOPIC') || MillraceError.is(failure, 'UNKNOWN_PARTITION')) {
          unknownSince ??= now();
          if (now() - unknownSince >= Math.min(TOPIC_GRACE_MS, options.fetchTimeoutMs)) throw failure;
        } else unknownSince = undefined;
      }
      const pause = idle === undefined ? retrier.pauseMs(tries) : 0;
      if (now() + pause >= deadline) throw await this.timedOut(position, failure, idle);
      if (pause > 0) await retrier.sleep(pause, signal);
    }
  }

  private isPassing(failure: unknown): boolean {
    if (failure instanceof BrokerFailure) return true;
    if (!MillraceError.is(failure)) return false;
    if (failure.code === 'UNKNOWN_TOPIC' || failure.code === 'UNKNOWN_PARTITION') return true;
    return failure.retryable && failure.code !== 'KAFKA_UNREACHABLE';
  }

  private async attempt(position: ReadPosition, leftMs: number): Promise<FetchResponse> {
    const { pool, options } = this.context;
    const leader = await this.leader();
    const connection = await pool.toNode(leader.leaderId, 'fetch');
    const byId = options.checkTopicIds && leader.topicId !== undefined;
    const versionMax = byId ? Number.POSITIVE_INFINITY : FETCH_BY_TOPIC_ID - 1;
    const version = connection.versionOf(FETCH, versionMax) ?? 0;
    if (version < FETCH_BY_TOPIC_ID && options.checkTopicIds)
      this.context.warnOfFetchByName(connection.address);
    if (version < FETCH_DIVERGING_EPOCH) await this.validate(connection, leader, position);
    const waitMs = Math.floor(Math.min(options.fetchWaitMs, leftMs));
    return connection.call(
      FETCH,
      {
        topic: this.tp.topic,
        topicId: leader.topicId,
        partition: this.tp.partition,
        offset: position.offset,
        leaderEpoch: leader.leaderEpoch,
        lastFetchedEpoch: position.epoch,
        bytesMax: this.bytesToAsk(position),
        waitMs,
        committedOnly: this.committedOnly,
      },
      // A broker that hangs must not cost the whole deadline when another may take over.
      { timeoutMs: Math.min(waitMs + options.requestTimeoutMs, Math.max(leftMs, waitMs + 100)), versionMax },
    );
  }

  /** @throws MillraceError TOPIC_RECREATED when the topic has another id than the one that is meant. */
  private async leader(): Promise<Leadership> {
    const { metadata } = this.context;
    const leader = await metadata.leader(this.tp);
    this.topicId ??= leader.topicId;
    if (leader.topicId === undefined || leader.topicId === this.topicId) return leader;
    metadata.invalidate(this.tp.topic);
    const again = await metadata.leader(this.tp);
    if (again.topicId === this.topicId) return again;
    const { topic, partition } = this.tp;
    const [topicId, newTopicId] = [this.topicId ?? '', again.topicId ?? ''];
    throw new MillraceError(
      'TOPIC_RECREATED',
      `The topic "${topic}" was deleted and created again: its id is ${newTopicId}, the offsets to read are of ${topicId}`,
      {
        remedy: 'The old records are gone. Start over from the new topic: its offsets begin at 0.',
        details: { topic, partition, topicId, newTopicId },
      },
    );
  }

  /** Brokers before Fetch v12 are asked where the epoch ends, once under each leader. */
  private async validate(
    connection: BrokerConnection,
    leader: Leadership,
    position: ReadPosition,
  ): Promise<void> {
    if (position.epoch < 0 || leader.leaderEpoch < 0 || this.validatedEpoch === leader.leaderEpoch) return;
    if (connection.versionOf(OFFSET_FOR_LEADER_EPOCH) === undefined) return;
    const end = await connection.call(
      OFFSET_FOR_LEADER_EPOCH,
      { ...this.tp, currentLeaderEpoch: leader.leaderEpoch, leaderEpoch: position.epoch },
      { timeoutMs: this.context.options.requestTimeoutMs },
    );
    if (end === undefined || end.error !== 0)
      throw kafkaFailure(end?.error ?? -1, `OffsetForLeaderEpoch of ${topicPartitionKey(this.tp)}`, {
        ...this.tp,
      });
    if (end.endOffset >= 0 && end.endOffset < position.offset)
      throw this.truncated(position, end.epoch, end.endOffset);
    this.validatedEpoch = leader.leaderEpoch;
  }

  /** Enough for the rest of the range, going by what was seen, but no more than `fetchBytesMax`. */
  private bytesToAsk(position: ReadPosition): number {
    const needed = (position.untilOffset - position.offset) * this.bytesPerOffset * 1.25;
    return Math.ceil(Math.min(this.context.options.fetchBytesMax, Math.max(needed, this.bytesAskedMin)));
  }

  private progressOf(position: ReadPosition, response: FetchResponse): Fetched | undefined {
    const { diverging, buf, start, end } = response;
    if (diverging !== undefined) throw this.truncated(position, diverging.epoch, diverging.endOffset);
    if (end === start) return undefined;
    const scan = scanRecordBatches(this.tp, buf, start, end);
    if (scan.nextOffset <= position.offset) {
      // Not even one batch fits (KIP-74 makes brokers send a whole one nevertheless).
      this.bytesAskedMin = Math.min(this.bytesAskedMin * 2, 2 ** 30);
      return undefined;
    }
    this.bytesPerOffset = (scan.end - start) / (scan.nextOffset - position.offset);
    const next = {
      offset: scan.nextOffset,
      epoch: scan.leaderEpoch,
      untilOffset: position.untilOffset,
    };
    return { response, scan, next };
  }

  /** What an error number means here; undefined: the position is in the log nevertheless, try again. */
  private async failureOf(position: ReadPosition, error: number): Promise<MillraceError | undefined> {
    const { topic, partition } = this.tp;
    const details = { topic, partition, offset: position.offset };
    const what = `Fetch of ${topicPartitionKey(this.tp)} at offset ${position.offset}`;
    switch (error) {
      case KAFKA_ERROR.OFFSET_OUT_OF_RANGE: {
        const { earliest, latest } = await this.bounds();
        if (position.offset >= earliest && position.offset <= latest) return undefined;
        return this.outOfRange(position, earliest, latest);
      }
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
          {
            details,
          },
        );
      default: {
        const failure = kafkaFailure(error, what, details);
        if (!isRetryableKafkaError(error)) return failure;
        return failure.code === 'LEADER_CHANGED'
          ? failure
          : new MillraceError('KAFKA_PROTOCOL', failure.what, { details: failure.details, retryable: true });
      }
    }
  }

  private async bounds(): Promise<{ earliest: number; latest: number }> {
    const { offsets } = this.context;
    const key = topicPartitionKey(this.tp);
    const [earliest, latest] = await Promise.all([
      offsets.list([this.tp], 'earliest', this.isolation),
      offsets.list([this.tp], 'latest', this.isolation),
    ]);
    return { earliest: earliest.get(key)?.offset ?? -1, latest: latest.get(key)?.offset ?? -1 };
  }

  private outOfRange(position: ReadPosition, earliest: number, latest: number): MillraceError {
    const below = position.offset < earliest;
    return new MillraceError(
      'OFFSET_OUT_OF_RANGE',
      below
        ? `Offset ${position.offset} of ${topicPartitionKey(this.tp)} is below the log start ${earliest}: retention deleted records that are still needed`
        : `Offset ${position.offset} of ${topicPartitionKey(this.tp)} is above the log end ${latest}`,
      {
        remedy: below
          ? "Raise the topic's retention, or restart with a later offset."
          : 'Check that the offsets are of this topic and cluster.',
        details: { ...this.tp, offset: position.offset, earliest, latest },
      },
    );
  }

  private truncated(position: ReadPosition, epoch: number, endOffset: number): MillraceError {
    return new MillraceError(
      'LOG_TRUNCATED',
      `${topicPartitionKey(this.tp)} was truncated: epoch ${position.epoch} was read up to offset ${position.offset}, but the leader's log has epoch ${epoch} end at ${endOffset}`,
      {
        remedy:
          'An unclean leader election lost records that were read already. Decide what to do with them, then restart from the end offset named.',
        details: { ...this.tp, offset: position.offset, epoch, endOffset },
      },
    );
  }

  /** Why nothing came until the deadline. */
  private async timedOut(
    position: ReadPosition,
    failure: unknown,
    idle: FetchResponse | undefined,
  ): Promise<unknown> {
    const { retrier, options } = this.context;
    if (failure !== undefined) return retrier.final(failure, options.fetchTimeoutMs);
    const end = idle === undefined ? -1 : this.committedOnly ? idle.lastStableOffset : idle.highWatermark;
    const details = { ...this.tp, offset: position.offset, untilOffset: position.untilOffset };
    if (end >= 0 && end < position.untilOffset) {
      const which = this.committedOnly ? 'last stable offset' : 'high watermark';
      return new MillraceError(
        'OFFSET_OUT_OF_RANGE',
        `The range of ${topicPartitionKey(this.tp)} ends at ${position.untilOffset}, but its ${which} stayed at ${end} for ${options.fetchTimeoutMs} ms`,
        {
          remedy: this.committedOnly
            ? 'Check for a hanging transaction, or whether the offsets are of this topic.'
            : 'Check that the offsets are of this topic and cluster.',
          details: { ...details, earliest: idle?.logStartOffset ?? -1, latest: end },
        },
      );
    }
    return new MillraceError(
      'DEADLINE_EXCEEDED',
      `No records of ${topicPartitionKey(this.tp)} came from offset ${position.offset} on within ${options.fetchTimeoutMs} ms`,
      { details },
    );
  }
}
