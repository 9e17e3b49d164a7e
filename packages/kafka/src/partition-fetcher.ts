import { MillraceError } from '@millrace/common';
import type { ClusterMetadata, Leadership } from './cluster-metadata.ts';
import type { BrokerConnection } from './connection/broker-connection.ts';
import { type BrokerPool, isWorthRetrying } from './connection/broker-pool.ts';
import type { PayloadPool } from './connection/payload-pool.ts';
import type { GatheredFetches } from './gathered-fetches.ts';
import { kafkaFailure } from './kafka-failure.ts';
import type { KafkaOptions } from './kafka-options.ts';
import type { IsolationLevel } from './kafka-port.ts';
import type { OffsetLister } from './offset-lister.ts';
import {
  FETCH,
  FETCH_BY_TOPIC_ID,
  FETCH_DIVERGING_EPOCH,
  type FetchRequest,
  type FetchResponse,
} from './protocol/fetch-api.ts';
import { OFFSET_FOR_LEADER_EPOCH } from './protocol/offsets-api.ts';
import {
  fetchRefused,
  type LogBounds,
  logTruncated,
  noProgress,
  offsetOutOfRange,
  topicRecreated,
} from './read-failure.ts';
import { corruptBatch } from './records/record-batch-error.ts';
import { scanRecordBatches } from './records/record-batch-scanner.ts';
import type { Retrier } from './retrier.ts';
import { type TopicPartition, topicPartitionKey } from './topic-partition.ts';
import { KAFKA_ERROR } from './wire/kafka-error.ts';

/** Where a read stands. It moves forward only. */
export interface ReadPosition {
  readonly offset: number;
  /**
   * Leader epoch of the record before `offset`, or of a later leader that had it; −1: unknown. A leader tells where its log parts from one
   * with this epoch: before `offset`, if records were lost; an older epoch than that of the record always ends there.
   */
  readonly epoch: number;
  /** The end of the range: no batch that begins there or later is needed. */
  readonly untilOffset: number;
}

/** A response that takes the position forward. */
export interface Fetched {
  readonly response: FetchResponse;
  /** After the last complete batch: at least one more than the offset that was asked for. */
  readonly next: ReadPosition;
}

/** What all readers of a client share. */
export interface FetchContext {
  readonly pool: BrokerPool;
  readonly gathered: GatheredFetches;
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

/** What one request came to. */
type Outcome =
  | { readonly kind: 'fetched'; readonly fetched: Fetched }
  /** The broker has nothing to give yet: it has waited for it, or is throttling. */
  | { readonly kind: 'idle'; readonly response: FetchResponse }
  /** The position is in the log, though the broker does not know its epoch: it is to be asked for with this one. */
  | { readonly kind: 'again'; readonly epoch: number }
  | { readonly kind: 'failed'; readonly failure: unknown };

/** How long a topic may be unknown to the brokers before it counts as deleted: metadata spreads in this time. */
const TOPIC_GRACE_MS = 2000;
const BYTES_PER_OFFSET_GUESS = 1024;
const BYTES_ASKED_MIN = 64 * 1024;
/** Waiting for the last ms of a deadline would be one request after the other. */
const WAIT_MS_MIN = 1;

export interface FetcherOptions {
  /** Of one response. */
  readonly bytesMax?: number;
  /** What is asked in one turn goes in one request, and shares its response. For small fetches. */
  readonly gathers?: boolean;
}

/** Fetches from the leader of one partition; finds it again when it moves. */
export class PartitionFetcher {
  private readonly context: FetchContext;
  private readonly tp: TopicPartition;
  private readonly isolation: IsolationLevel;
  private readonly bytesMax: number;
  private readonly gathers: boolean;
  /** The topic that is meant: the one that was asked for, or else the first one that is met. */
  private topicId: string | undefined;
  private bytesPerOffset = BYTES_PER_OFFSET_GUESS;
  /** The leader epoch under which the position was last found to be in the leader's log (brokers before Fetch v12). */
  private validatedEpoch = -1;

  constructor(
    context: FetchContext,
    tp: TopicPartition,
    isolation: IsolationLevel,
    topicId: string | undefined,
    { bytesMax = context.options.fetchBytesMax, gathers = false }: FetcherOptions = {},
  ) {
    this.gathers = gathers;
    this.context = context;
    this.tp = tp;
    this.isolation = isolation;
    this.topicId = topicId;
    this.bytesMax = Math.min(bytesMax, context.options.fetchBytesMax);
  }

  /** Fetches until the position moves, for at most `fetchTimeoutMs`. `signal` ends the waits between attempts. */
  async fetch(position: ReadPosition, signal: AbortSignal): Promise<Fetched> {
    const { retrier, options, now } = this.context;
    const deadline = now() + options.fetchTimeoutMs;
    let unknownSince: number | undefined;
    let { epoch } = position;
    for (let tries = 0; ; tries++) {
      const outcome = await this.attempt({ ...position, epoch }, Math.max(WAIT_MS_MIN, deadline - now()));
      if (outcome.kind === 'fetched') return outcome.fetched;
      if (signal.aborted) throw new MillraceError('CANCELLED', 'the read was abandoned');
      if (outcome.kind === 'idle') tries = -1;
      if (outcome.kind === 'again') epoch = outcome.epoch;
      if (outcome.kind === 'failed') {
        unknownSince = isUnknown(outcome.failure) ? (unknownSince ?? now()) : undefined;
        this.heed(outcome.failure, unknownSince);
      }
      const pause = outcome.kind === 'idle' ? 0 : retrier.pauseMs(tries);
      if (now() + pause >= deadline) throw this.timedOut(position, outcome);
      if (pause > 0) await retrier.sleep(pause, signal);
    }
  }

  /** Returns when another attempt, with fresh metadata, may mend it. @throws `failure` itself when none will. */
  private heed(failure: unknown, unknownSince: number | undefined): void {
    const { options, now, metadata } = this.context;
    const passing =
      unknownSince === undefined
        ? isWorthRetrying(failure)
        : now() - unknownSince < Math.min(TOPIC_GRACE_MS, options.fetchTimeoutMs);
    if (!passing) throw failure;
    metadata.invalidate(this.tp.topic);
  }

  private async attempt(position: ReadPosition, leftMs: number): Promise<Outcome> {
    try {
      const response = await this.request(position, leftMs);
      const { error, diverging, start, end } = response;
      if (error === KAFKA_ERROR.OFFSET_OUT_OF_RANGE) return await this.outOfRange(position, leftMs);
      if (error !== KAFKA_ERROR.NONE)
        return { kind: 'failed', failure: fetchRefused(this.tp, position.offset, error) };
      if (diverging !== undefined) {
        if (diverging.endOffset < position.offset)
          return { kind: 'failed', failure: logTruncated(this.tp, position, diverging) };
        // A leader that wrote nothing leaves no trace of its epoch: no record is missing. Java's consumer compares the offsets only, too.
        return { kind: 'again', epoch: diverging.epoch };
      }
      if (end === start) return { kind: 'idle', response };
      return { kind: 'fetched', fetched: this.progressOf(position, response) };
    } catch (failure) {
      return { kind: 'failed', failure };
    }
  }

  private async request(position: ReadPosition, leftMs: number): Promise<FetchResponse> {
    const { pool, options, gathered } = this.context;
    const leader = await this.leader();
    const connection = await pool.toNode(leader.leaderId, 'fetch');
    const byId = options.checkTopicIds && leader.topicId !== undefined;
    const versionMax = byId ? Number.POSITIVE_INFINITY : FETCH_BY_TOPIC_ID - 1;
    const version = connection.versionOf(FETCH, versionMax) ?? 0;
    if (version < FETCH_BY_TOPIC_ID && options.checkTopicIds)
      this.context.warnOfFetchByName(connection.address);
    if (version < FETCH_DIVERGING_EPOCH) await this.validate(connection, leader, position, leftMs);
    const waitMs = Math.floor(Math.min(options.fetchWaitMs, leftMs));
    const request: FetchRequest = {
      topic: this.tp.topic,
      topicId: leader.topicId,
      partition: this.tp.partition,
      offset: position.offset,
      leaderEpoch: leader.leaderEpoch,
      lastFetchedEpoch: position.epoch,
      bytesMax: this.bytesToAsk(position),
      waitMs,
      committedOnly: this.isolation === 'read_committed',
    };
    // A broker that hangs must not cost the whole deadline when another may take over.
    const timeoutMs = Math.ceil(Math.min(waitMs + options.requestTimeoutMs, Math.max(leftMs, waitMs + 100)));
    return this.gathers
      ? gathered.call(connection, request, { timeoutMs, versionMax })
      : connection.call(FETCH, request, { timeoutMs, versionMax });
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
    throw topicRecreated(this.tp, this.topicId ?? '', again.topicId ?? '');
  }

  /** Brokers before Fetch v12 are asked where the epoch ends, once under each leader. */
  private async validate(
    connection: BrokerConnection,
    leader: Leadership,
    position: ReadPosition,
    leftMs: number,
  ): Promise<void> {
    if (position.epoch < 0 || leader.leaderEpoch < 0 || this.validatedEpoch === leader.leaderEpoch) return;
    if (connection.versionOf(OFFSET_FOR_LEADER_EPOCH) === undefined) return;
    const end = await connection.call(
      OFFSET_FOR_LEADER_EPOCH,
      { ...this.tp, currentLeaderEpoch: leader.leaderEpoch, leaderEpoch: position.epoch },
      { timeoutMs: Math.min(this.context.options.requestTimeoutMs, leftMs) },
    );
    if (end === undefined || end.error !== 0)
      throw kafkaFailure(end?.error ?? -1, `OffsetForLeaderEpoch of ${topicPartitionKey(this.tp)}`, {
        ...this.tp,
      });
    if (end.endOffset >= 0 && end.endOffset < position.offset) throw logTruncated(this.tp, position, end);
    this.validatedEpoch = leader.leaderEpoch;
  }

  /** Enough for the rest of the range, going by what was seen, but no more than `bytesMax`. */
  private bytesToAsk(position: ReadPosition): number {
    const needed = (position.untilOffset - position.offset) * this.bytesPerOffset * 1.25;
    return Math.ceil(Math.min(this.bytesMax, Math.max(needed, BYTES_ASKED_MIN)));
  }

  private progressOf(position: ReadPosition, response: FetchResponse): Fetched {
    const { buf, start, end } = response;
    const scan = scanRecordBatches(this.tp, buf, start, end);
    // Brokers send one batch whole, however large it is (KIP-74): its length, which no checksum covers, is wrong.
    if (scan.nextOffset <= position.offset)
      throw corruptBatch(
        this.tp,
        position.offset,
        `no whole batch is in the ${end - start} bytes sent for it`,
      );
    this.bytesPerOffset = (scan.end - start) / (scan.nextOffset - position.offset);
    const next = {
      offset: scan.nextOffset,
      epoch: scan.leaderEpoch,
      untilOffset: position.untilOffset,
    };
    return { response, next };
  }

  /** The broker may mean the epoch: when it is so old that Kafka forgot where it ended, only the offset itself can be checked. */
  private async outOfRange({ offset }: ReadPosition, leftMs: number): Promise<Outcome> {
    const bounds = await this.bounds(leftMs);
    return offset >= bounds.earliest && offset <= bounds.latest
      ? { kind: 'again', epoch: -1 }
      : { kind: 'failed', failure: offsetOutOfRange(this.tp, offset, bounds) };
  }

  private async bounds(leftMs: number): Promise<LogBounds> {
    const { offsets, options } = this.context;
    const key = topicPartitionKey(this.tp);
    const timeoutMs = Math.min(options.requestTimeoutMs, leftMs);
    const [earliest, latest] = await Promise.all([
      offsets.list([this.tp], 'earliest', this.isolation, timeoutMs),
      offsets.list([this.tp], 'latest', this.isolation, timeoutMs),
    ]);
    return { earliest: earliest.get(key)?.offset ?? -1, latest: latest.get(key)?.offset ?? -1 };
  }

  /** Why nothing came until the deadline. */
  private timedOut(position: ReadPosition, last: Exclude<Outcome, { kind: 'fetched' }>): unknown {
    const { retrier, options } = this.context;
    if (last.kind === 'failed') return retrier.final(last.failure, options.fetchTimeoutMs);
    const idle = last.kind === 'idle' ? last.response : undefined;
    return noProgress(this.tp, position, this.isolation, options.fetchTimeoutMs, idle);
  }
}

function isUnknown(failure: unknown): boolean {
  return MillraceError.is(failure, 'UNKNOWN_TOPIC') || MillraceError.is(failure, 'UNKNOWN_PARTITION');
}
