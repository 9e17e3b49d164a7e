import type { DirectKafkaInput, OffsetCommitter } from '@millrace/api/internal';
import { type Clock, type Logger, MillraceError, type Timer, withDeadline } from '@millrace/common';
import type { KafkaClient, KafkaOptions, OffsetRange } from '@millrace/kafka';
import type { PlannedBatch } from '../log/log-record.ts';
import { GroupCommits, type PartitionOffset } from './group-commits.ts';

/** Kafka's own consumers commit every 5 s. */
const MIRROR_INTERVAL_MS = 1_000;
/** Kafka forgets offsets that nobody commits again, after a week by default: a partition without records must not be lost to lag tools. */
const MIRROR_ALL_INTERVAL_MS = 3_600_000;
/** What is committed when the application ends waits no longer for Kafka. */
const FLUSH_TIMEOUT_MS = 5_000;
/** Looked at twice before it is called a wait for itself. */
const SELF_WAIT_LOOK_MS = 10_000;

export interface OffsetCommitsOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly inputs: readonly DirectKafkaInput[];
  readonly kafka: (options: KafkaOptions) => KafkaClient;
  readonly notice: (text: string) => void;
  /** A batch is planned and not committed. */
  readonly isBatchRunning: () => boolean;
  /** Jobs of the running batch are under way. */
  readonly runsJobs: () => boolean;
}

/** One input's commits, and how they do. */
interface Group {
  readonly input: DirectKafkaInput;
  readonly commits: GroupCommits;
  mirroredAt: number;
  mirroredAllAt: number;
  isFailing: boolean;
}

/**
 * Offsets that go to Kafka's consumer groups: those that the job commits itself, and the mirror of the log. Copies only: nothing here keeps a
 * batch from running, and a restart does not need them.
 */
export class OffsetCommits implements OffsetCommitter {
  readonly #options: OffsetCommitsOptions;
  readonly #groups: ReadonlyMap<number, Group>;
  #look: Timer | undefined;
  #closed: MillraceError | undefined;
  #lastCommitted: PlannedBatch | undefined;

  constructor(options: OffsetCommitsOptions) {
    this.#options = options;
    this.#groups = new Map(options.inputs.map((input) => [input.inputId, this.#group(input)]));
  }

  commitAsync(inputId: number, ranges: readonly OffsetRange[]): Promise<void> {
    const group = this.#groups.get(inputId);
    if (this.#closed || !group)
      return Promise.reject(this.#closed ?? new MillraceError('INTERNAL', `there is no input ${inputId}`));
    if (this.#options.isBatchRunning()) {
      this.#look ??= this.#lookLater(false);
      return group.commits.hold(ends(ranges));
    }
    const committed = group.commits.commit(ends(ranges));
    void group.commits.flush();
    return committed;
  }

  /** The batch is in the log, all of its outputs done. Returns at once. */
  batchCommitted(batch: PlannedBatch): void {
    this.#look?.cancel();
    this.#look = undefined;
    this.#lastCommitted = batch;
    for (const { inputId, ranges } of batch.inputs) {
      const group = this.#groups.get(inputId);
      if (!group) continue;
      group.commits.release();
      this.#mirror(group, ranges, false);
      void group.commits.flush();
    }
  }

  /** The application ends, with this failure. What belongs to finished batches is sent; never rejects. */
  async close(failure: unknown): Promise<void> {
    if (this.#closed) return;
    this.#look?.cancel();
    const ended = new MillraceError('CANCELLED', 'the application ended before its batch was committed');
    this.#closed = failure === undefined ? ended : MillraceError.from(failure, 'CANCELLED');
    for (const { inputId, ranges } of this.#lastCommitted?.inputs ?? []) {
      const group = this.#groups.get(inputId);
      if (group) this.#mirror(group, ranges, true);
    }
    const groups = [...this.#groups.values()];
    for (const { commits } of groups) commits.rejectHeld(this.#closed, { keepOffsets: false });
    const { clock, logger } = this.#options;
    const flushed = Promise.all(groups.map(({ commits }) => commits.flush()));
    await withDeadline(flushed, FLUSH_TIMEOUT_MS, 'the last commit of offsets to Kafka', clock).catch(
      (error: unknown) =>
        logger.warn({ err: error }, 'Kafka has not acknowledged the last offsets; the log has them all'),
    );
  }

  #mirror(group: Group, ranges: readonly OffsetRange[], isLast: boolean): void {
    if (!group.input.options.mirrorOffsets) return;
    const now = this.#options.clock.monotonic();
    if (!isLast && now - group.mirroredAt < MIRROR_INTERVAL_MS) return;
    group.mirroredAt = now;
    if (now - group.mirroredAllAt >= MIRROR_ALL_INTERVAL_MS) {
      group.mirroredAllAt = now;
      group.commits.forgetAcknowledged();
    }
    group.commits.mirror(ends(ranges));
  }

  #group(input: DirectKafkaInput): Group {
    const { groupId, client } = input.options;
    const group: Group = {
      input,
      commits: new GroupCommits(
        async (offsets) => {
          await this.#options.kafka(client).commitOffsets(groupId, offsets);
          group.isFailing = false;
        },
        (error) => this.#failed(group, error),
      ),
      mirroredAt: Number.NEGATIVE_INFINITY,
      mirroredAllAt: Number.NEGATIVE_INFINITY,
      isFailing: false,
    };
    return group;
  }

  /** Said once, until one has come through again. */
  #failed(group: Group, error: MillraceError): void {
    if (group.isFailing || this.#closed) return;
    group.isFailing = true;
    const { what, code, remedy } = error;
    this.#options.notice(
      `offsets of group ${group.input.options.groupId} were not committed to Kafka: ${what} [${code}]. The application's own log has them.${remedy === '' ? '' : ` ${remedy}`}`,
    );
  }

  #lookLater(wasIdle: boolean): Timer {
    return this.#options.clock.schedule(SELF_WAIT_LOOK_MS, () => {
      const isIdle = !this.#options.runsJobs();
      if (isIdle && wasIdle) this.#endSelfWait();
      else this.#look = this.#lookLater(isIdle);
    });
  }

  /** A batch that awaits its own commit would wait for ever. */
  #endSelfWait(): void {
    this.#look = undefined;
    const seconds = (2 * SELF_WAIT_LOOK_MS) / 1000;
    const error = new MillraceError(
      'DEADLINE_EXCEEDED',
      `commitAsync() waits for its batch to be committed, and the batch has run no job for ${seconds} s`,
      {
        remedy:
          'Do not await commitAsync() in foreachRDD: offsets are committed when the batch is done. Use then() to hear of it.',
      },
    );
    for (const { commits } of this.#groups.values())
      if (!commits.holdsNothing) commits.rejectHeld(error, { keepOffsets: true });
  }
}

function ends(ranges: readonly OffsetRange[]): readonly PartitionOffset[] {
  return ranges.map(({ topic, partition, untilOffset }) => ({ topic, partition, offset: untilOffset }));
}
