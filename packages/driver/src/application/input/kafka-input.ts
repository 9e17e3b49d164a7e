import { type DirectKafkaInput, deadLetterProblem } from '@millrace/api/internal';
import {
  type Clock,
  type Logger,
  MillraceError,
  placed,
  unlessAborted,
  withDeadline,
} from '@millrace/common';
import { type KafkaClient, type ListedOffset, type TopicPartition, topicPartitionKey } from '@millrace/kafka';
import type { LoggedRange } from '../log/log-record.ts';
import { beginPartitions } from './begin-partitions.ts';
import { type Discovery, discover } from './discovery.ts';
import { KafkaPatience, type Wait } from './kafka-patience.ts';
import type { PartitionOffsets } from './offset-planner.ts';
import { type LoggedStart, type StartPosition, TRUNCATED } from './start-positions.ts';
import { type SkippedOffsets, type TrackedPartition, TrackedPartitions } from './tracked-partitions.ts';

export interface KafkaInputOptions {
  readonly input: DirectKafkaInput;
  readonly kafka: KafkaClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly notice: (level: 'info' | 'warn', text: string) => void;
  /** So many offsets of the input are skipped, because retention has deleted them. */
  readonly lost?: (input: DirectKafkaInput, offsets: number) => void;
  /** How long a batch waits for a Kafka that is away. */
  readonly kafkaTimeoutMs: number;
  /** How often topics and partitions are looked up. Default 5 s. */
  readonly metadataIntervalMs?: number;
}

const METADATA_INTERVAL_MS = 5_000;
/** A first start does not wait for a Kafka that is away: the user is told. */
const FIRST_START_PATIENCE_MS = 10_000;
/** A host that takes longer to start is killed (jobStartTimeoutMs), and could not say why. */
const START_PATIENCE_MS = 40_000;
/** A topic that a broker does not know was deleted, perhaps to be created again; or the broker has only just started. */
const UNKNOWN_TOLERATED_MS = 60_000;
/** After a change of leader a replica may tell of an end that is a little old. */
const BEHIND_TOLERATED_MS = 10_000;

/**
 * The driver's side of one direct stream: which partitions there are, where each of them stands, where each ends. It asks
 * for metadata and offsets only, joins no consumer group, and reads no records.
 */
export class KafkaInput {
  readonly #options: KafkaInputOptions;
  readonly #patience: KafkaPatience;
  readonly #partitions: TrackedPartitions;
  #metadataAt = 0;
  #refreshing: Promise<void> | undefined;
  /** What the last look at the metadata found to be fatal: thrown by the next poll. */
  #failure: unknown;
  #metadataFailingSince: number | undefined;
  /** Since when brokers answer that there is no such topic. */
  #unknownSince: number | undefined;
  /** Offsets are not believed before the topic's id was looked at again. */
  #topicWasUnknown = false;

  constructor(options: KafkaInputOptions) {
    this.#options = options;
    this.#partitions = new TrackedPartitions(options.notice, options.input.options.failOnDataLoss);
    this.#patience = new KafkaPatience({ ...options, brokers: options.input.options.client.brokers });
  }

  /** Topics that it reads now. */
  get topics(): ReadonlySet<string> {
    return new Set(this.#partitions.active().map(({ topic }) => topic));
  }

  /** Where its partitions began when it was opened. */
  get starts(): readonly StartPosition[] {
    return this.#partitions.starts;
  }

  get inputId(): number {
    return this.#options.input.inputId;
  }

  /**
   * Finds the partitions and where each begins.
   * Returns every problem that keeps the stream from beginning; none: it may begin.
   */
  async open(logged: LoggedStart, signal: AbortSignal): Promise<readonly MillraceError[]> {
    const { strategy, place } = this.#options.input;
    const patienceMs = Math.min(
      this.#options.kafkaTimeoutMs,
      logged.isFirst ? FIRST_START_PATIENCE_MS : START_PATIENCE_MS,
    );
    try {
      const open = (): Promise<readonly MillraceError[]> => this.#open(logged);
      const problems = await this.#patience.attempt(strategy.describe(), { patienceMs, signal }, open);
      return problems.map((problem) => placed(problem, place));
    } catch (error) {
      signal.throwIfAborted();
      return [placed(MillraceError.from(error, 'USER_CODE'), place)];
    }
  }

  /** Where each partition stands and ends, now. One ListOffsets request a leader. Waits for a Kafka that is away. */
  async poll(signal: AbortSignal): Promise<readonly PartitionOffsets[]> {
    const what = `offsets of ${this.#options.input.strategy.describe()}`;
    const { active, latest } = await this.#patience.attempt(what, this.#running(signal), () => this.#list());
    const ahead = active.map((partition) => withLatest(partition, latest));
    await this.#checkBehind(
      active.filter((partition, index) => (ahead[index]?.latest ?? 0) < partition.position),
      signal,
    );
    if (this.#failure !== undefined) throw this.#failure;
    return ahead.map((offsets) => ({ ...offsets, latest: Math.max(offsets.latest, offsets.position) }));
  }

  /** How long a batch waits. */
  #running(signal: AbortSignal): Wait {
    return { patienceMs: this.#options.kafkaTimeoutMs, option: 'kafkaTimeout', signal };
  }

  async #list(): Promise<{
    readonly active: readonly TrackedPartition[];
    readonly latest: ReadonlyMap<string, ListedOffset>;
  }> {
    const { input, kafka } = this.#options;
    if (this.#topicWasUnknown) await this.#refresh();
    else this.#refreshWhenDue();
    if (this.#failure !== undefined) throw this.#failure;
    const skipped = this.#partitions.skipLost();
    if (skipped > 0) this.#options.lost?.(input, skipped);
    const active = this.#partitions.active();
    if (active.length === 0) return { active, latest: new Map() };
    try {
      return { active, latest: await kafka.listOffsets(active, 'latest', input.options.isolation) };
    } catch (error) {
      if (!isUnknown(error)) throw error;
      // Deleted, perhaps to be created again; or no longer matched by a pattern.
      this.#topicWasUnknown = true;
      await this.#refresh();
      throw this.#failure ?? MillraceError.fromRecord({ ...MillraceError.toRecord(error), retryable: true });
    }
  }

  /** A batch was planned: the next one begins where it ends. */
  advance(ranges: readonly LoggedRange[]): void {
    this.#partitions.advance(ranges);
  }

  /** Offsets that were skipped since the last call, because their records were gone. */
  takeSkipped(): readonly SkippedOffsets[] {
    return this.#partitions.takeSkipped();
  }

  leaderHost(tp: TopicPartition): string {
    return this.#partitions.leaderHost(tp);
  }

  async #open(logged: LoggedStart): Promise<readonly MillraceError[]> {
    const discovery = await this.#discover(offsetsOf(logged));
    const problems = await beginPartitions(this.#options, this.#partitions, discovery, logged);
    this.#metadataAt = this.#options.clock.monotonic();
    const { input, kafka } = this.#options;
    const { onDecodeError } = input.options;
    if (typeof onDecodeError !== 'object') return problems;
    const reads = new Set(discovery.partitions.map(({ topic }) => topic));
    const problem = await deadLetterProblem(onDecodeError.deadLetterTopic, reads, kafka);
    return problem ? [...problems, problem] : problems;
  }

  #discover(positions: ReadonlyMap<string, number>): Promise<Discovery> {
    const { input, kafka } = this.#options;
    return discover(kafka, input.strategy, positions);
  }

  /** In the background: a batch never waits for metadata. */
  #refreshWhenDue(): void {
    const { clock, metadataIntervalMs = METADATA_INTERVAL_MS } = this.#options;
    if (this.#refreshing || clock.monotonic() - this.#metadataAt < metadataIntervalMs) return;
    void this.#refresh();
  }

  /** Never rejects: what it finds is thrown by the next poll. */
  #refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshNow().finally(() => {
      this.#refreshing = undefined;
      this.#metadataAt = this.#options.clock.monotonic();
    });
    return this.#refreshing;
  }

  async #refreshNow(): Promise<void> {
    const { clock, kafka, kafkaTimeoutMs, input, logger } = this.#options;
    const what = `metadata of ${input.strategy.describe()}`;
    try {
      const found = this.#discover(this.#partitions.positions());
      const discovery = await withDeadline(found, kafkaTimeoutMs, what, clock);
      const earliest = await withDeadline(
        kafka.listOffsets(discovery.partitions, 'earliest'),
        kafkaTimeoutMs,
        what,
        clock,
      );
      this.#partitions.apply(discovery, earliest);
      this.#metadataFailingSince = undefined;
      this.#unknownSince = undefined;
      this.#topicWasUnknown = false;
    } catch (error) {
      const now = clock.monotonic();
      this.#metadataFailingSince ??= now;
      this.#unknownSince = isUnknown(error) ? (this.#unknownSince ?? now) : undefined;
      const failingMs = now - (this.#unknownSince ?? this.#metadataFailingSince);
      const toleratedMs = isUnknown(error) ? Math.min(UNKNOWN_TOLERATED_MS, kafkaTimeoutMs) : kafkaTimeoutMs;
      logger.warn({ err: error, failingMs }, 'topics and partitions could not be looked up; trying again');
      if (!MillraceError.is(error) || isFinal(error)) this.#failure = error;
      else if (failingMs >= toleratedMs)
        this.#failure = this.#patience.gaveUp(what, failingMs, error, 'kafkaTimeout');
    }
  }

  /** Kafka told of an end before what was planned: a recreated topic, lost records, or an answer that is a little old. */
  async #checkBehind(behind: readonly TrackedPartition[], signal: AbortSignal): Promise<void> {
    const { clock, kafka, input } = this.#options;
    for (const partition of this.#partitions.all())
      if (!behind.includes(partition)) partition.behindSince = undefined;
    if (behind.length === 0) return;
    const now = clock.monotonic();
    if (behind.some(({ behindSince }) => behindSince === undefined))
      await unlessAborted(this.#refresh(), signal);
    for (const partition of behind) partition.behindSince ??= now;
    const long = behind.filter(({ behindSince }) => now - (behindSince ?? now) >= BEHIND_TOLERATED_MS);
    if (long.length === 0) return;
    // Start offsets may have been given inside of a transaction that is still open.
    const end = await this.#patience.attempt(
      `the end of ${input.strategy.describe()}`,
      this.#running(signal),
      () => kafka.listOffsets(long, 'latest', 'read_uncommitted'),
    );
    for (const partition of long) {
      const { topic, position: offset } = partition;
      const latest = end.get(topicPartitionKey(partition))?.offset ?? 0;
      partition.behindSince = undefined;
      if (offset <= latest) continue;
      throw new MillraceError(
        'LOG_TRUNCATED',
        `${topicPartitionKey(partition)} ends at ${latest}, but was read up to ${offset}`,
        {
          details: { topic, partition: partition.partition, offset, latest },
          remedy: TRUNCATED,
        },
      );
    }
  }
}

function withLatest(
  partition: TrackedPartition,
  latest: ReadonlyMap<string, ListedOffset>,
): PartitionOffsets {
  const { topic, partition: number, position, topicId, leaderEpoch } = partition;
  const { offset = position, leaderEpoch: latestEpoch = -1 } = latest.get(topicPartitionKey(partition)) ?? {};
  return { topic, partition: number, position, latest: offset, topicId, leaderEpoch, latestEpoch };
}

function offsetsOf({ positions }: LoggedStart): ReadonlyMap<string, number> {
  return new Map([...positions].map(([key, { offset }]) => [key, offset]));
}

/** Waiting does not mend it. A topic that a broker does not know may be one that it does not know yet. */
function isFinal(error: MillraceError): boolean {
  return !error.retryable && !isUnknown(error);
}

function isUnknown(error: unknown): boolean {
  return MillraceError.is(error, 'UNKNOWN_TOPIC') || MillraceError.is(error, 'UNKNOWN_PARTITION');
}
