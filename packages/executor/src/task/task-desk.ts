import { type Clock, type Logger, MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import {
  type ExpectedRange,
  failureRecordToWire,
  type LaunchTask,
  type TaskEndedInit,
  type TaskKey,
} from '@millrace/proto';
import type { BlockStore } from '../blocks/block-store.ts';
import type { ProgramCache } from '../programs/program-cache.ts';
import type { ShuffleStore } from '../shuffle/shuffle-store.ts';
import { NO_METRICS, type SlotOutcome } from '../slots/slot.ts';
import { taskDetails } from '../slots/slot-death.ts';
import type { SlotPool } from '../slots/slot-pool.ts';
import { Outbox } from './outbox.ts';

export interface TaskDeskOptions {
  /** Files of map tasks become known here. */
  readonly shuffles: Pick<ShuffleStore, 'admit' | 'dropEpochs'>;
  readonly pool: Pick<SlotPool, 'run' | 'kill' | 'prefetch' | 'dropApplication'>;
  readonly programs: ProgramCache;
  readonly blocks: BlockStore;
  /** host:port where others fetch blocks. */
  readonly blockAddress: string;
  /** A larger result stays here as a block. */
  readonly inlineBytesMax: number;
  readonly report: (ended: readonly TaskEndedInit[]) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Attempt {
  readonly key: TaskKey;
  readonly slot: number;
  /** Who launched it still waits for it. */
  wanted: boolean;
  /** Until it is in a slot it is killed here. */
  killReason: string | undefined;
}

// An executor serves so many applications in its life that their epochs are remembered; beyond, the oldest are forgotten.
const APPLICATIONS_MAX = 1_000;
/** So many attempts that have ended are remembered at least, lest one that is launched again, late, runs again. */
const ENDED_MIN = 5_000;
/** When the driver names none. */
const TASK_TIMEOUT_MS = 600_000;

/** Takes tasks from the driver to slots and their outcomes back. Stale and duplicate messages are dropped by key. */
export class TaskDesk {
  readonly #options: TaskDeskOptions;
  readonly #attempts = new Map<string, Attempt>();
  /** Two generations: what has ended, and what had before. */
  #ended: [Set<string>, Set<string>] = [new Set(), new Set()];
  readonly #outbox: Outbox;
  /** Lowest epoch whose tasks are taken, by application. */
  readonly #epochs = new Map<string, number>();
  #idle: PromiseWithResolvers<void> | undefined;
  #refusal: MillraceError | undefined;
  /** Of the last launch: one without a stage has the same. */
  #stage: LaunchTask['stage'] = Buffer.alloc(0);

  constructor(options: TaskDeskOptions) {
    this.#options = options;
    this.#outbox = new Outbox(options.clock, options.report);
  }

  get running(): number {
    return this.#attempts.size;
  }

  launch(message: LaunchTask): void {
    const { key } = message;
    if (message.stage.length > 0) this.#stage = message.stage;
    const stage = this.#stage;
    const id = key === null ? '' : attemptId(key);
    if (key === null || this.#attempts.has(id) || this.#ended.some((ids) => ids.has(id))) return;
    const epoch = this.#epochs.get(key.application) ?? 0;
    if (key.epoch < epoch) {
      this.#options.log.info(
        { ...fields(key), epoch: key.epoch, newest: epoch },
        'task of an older epoch dropped',
      );
      return;
    }
    this.#raiseEpoch(key.application, key.epoch);
    const attempt: Attempt = { key, slot: message.slot, wanted: true, killReason: undefined };
    this.#attempts.set(id, attempt);
    void this.#run(attempt, { ...message, stage }).finally(() => {
      this.#attempts.delete(id);
      this.#rememberEnded(id);
      if (!this.#hasOthers(attempt)) this.#outbox.flush();
      if (this.#attempts.size === 0) this.#idle?.resolve();
    });
  }

  /** `onlyWaiting`: what has begun goes on. */
  kill(key: TaskKey, reason: string, onlyWaiting = false): void {
    const id = attemptId(key);
    const attempt = this.#attempts.get(id);
    if (attempt && !onlyWaiting) attempt.killReason = reason;
    this.#options.pool.kill((task) => attemptId(task.key) === id, reason, onlyWaiting);
  }

  /** Tasks that read these ranges are expected in the slot. */
  prefetch(slot: number, ranges: readonly ExpectedRange[]): void {
    this.#options.pool.prefetch(slot, ranges.map(toOffsetRange));
  }

  /** Ends tasks of older epochs and forgets their blocks. */
  dropApplication(application: string, belowEpoch: number): void {
    this.#raiseEpoch(application, belowEpoch);
    const isOld = (of: { readonly application: string; readonly epoch: number }): boolean =>
      of.application === application && of.epoch < belowEpoch;
    for (const attempt of this.#attempts.values()) if (isOld(attempt.key)) attempt.wanted = false;
    this.#options.pool.kill((task) => isOld(task.key), 'a newer epoch of its application runs');
    this.#options.pool.dropApplication(application, belowEpoch);
    this.#options.blocks.dropOwned(isOld);
    const { shuffles, log } = this.#options;
    shuffles
      .dropEpochs(application, belowEpoch)
      .catch((error: unknown) => log.warn({ err: error, application }, 'map outputs could not be dropped'));
  }

  /** Who launched the tasks has given them up (the link was lost): they end, and are not reported. */
  abandonAll(reason: string): void {
    for (const attempt of this.#attempts.values()) attempt.wanted = false;
    this.#outbox.clear();
    this.#options.pool.kill(() => true, reason);
  }

  /** Epochs count in one history of a state directory: those of another driver's mean nothing in this one's. */
  forgetEpochs(): void {
    this.#epochs.clear();
    this.#ended = [new Set(), new Set()];
  }

  /** From now on nothing new is taken: what is launched all the same fails with `why`. */
  refuse(why: MillraceError): void {
    this.#refusal = why;
  }

  /** Resolves when nothing runs. */
  async idle(): Promise<void> {
    while (this.#attempts.size > 0) {
      this.#idle ??= Promise.withResolvers<void>();
      await this.#idle.promise;
      this.#idle = undefined;
    }
  }

  async #run(attempt: Attempt, message: LaunchTask): Promise<void> {
    const { clock, log } = this.#options;
    const receivedAt = clock.monotonic();
    const outcome = await this.#outcome(attempt, message);
    const durationMs = clock.monotonic() - receivedAt;
    const { metrics } = outcome;
    const { records, runMs, fetchMs, consumerCached } = metrics;
    const facts = {
      ...fields(attempt.key),
      slot: message.slot,
      durationMs,
      runMs,
      fetchMs,
      consumerCached,
      records,
    };
    if (outcome.kind === 'succeeded') log.debug(facts, 'task finished');
    else if (attempt.wanted)
      log.warn({ ...facts, code: outcome.error.code, reason: outcome.error.what }, 'task failed');
    if (!attempt.wanted) return;
    const ended: TaskEndedInit = {
      key: attempt.key,
      slot: message.slot,
      ...this.#result(attempt.key, outcome),
      metrics: {
        ...metrics,
        queueMs: Math.max(0, durationMs - metrics.runMs),
        accumulators: outcome.kind === 'succeeded' ? outcome.accumulators : new Uint8Array(),
      },
    };
    this.#outbox.add(ended, this.#hasOthers(attempt));
  }

  /** Behind it in its slot. */
  #hasOthers(attempt: Attempt): boolean {
    for (const other of this.#attempts.values())
      if (other !== attempt && other.slot === attempt.slot) return true;
    return false;
  }

  async #outcome(attempt: Attempt, message: LaunchTask): Promise<SlotOutcome> {
    const { programs, pool } = this.#options;
    const { slot, stage, task, describes, programHash } = message;
    try {
      if (this.#refusal) throw this.#refusal;
      const programDir = programs.directory(programHash) ?? (await programs.fetch(programHash));
      if (!attempt.wanted || attempt.killReason !== undefined)
        throw new MillraceError('TASK_KILLED', attempt.killReason ?? 'the task was given up before it began');
      const timeoutMs = message.timeoutMs === 0 ? TASK_TIMEOUT_MS : message.timeoutMs;
      const outcome = await pool.run(slot, {
        key: attempt.key,
        programHash,
        programDir,
        stage,
        task,
        timeoutMs,
        describes,
      });
      if (outcome.kind === 'failed') return withDetails(outcome, message);
      if (outcome.written) await this.#options.shuffles.admit(outcome.written);
      return outcome;
    } catch (error) {
      const record = MillraceError.toRecord(error);
      return withDetails({ kind: 'failed', error: record, metrics: NO_METRICS }, message);
    }
  }

  #result(key: TaskKey, outcome: SlotOutcome): Pick<TaskEndedInit, 'result' | 'resultBlock' | 'failure'> {
    if (outcome.kind === 'failed') return { failure: failureRecordToWire(outcome.error) };
    const { result } = outcome;
    if (result.length <= this.#options.inlineBytesMax) return { result };
    const blockId = attemptId(key);
    try {
      this.#options.blocks.put(blockId, result, { application: key.application, epoch: key.epoch });
    } catch (error) {
      return { failure: failureRecordToWire(MillraceError.toRecord(error)) };
    }
    return { resultBlock: { blockId, bytes: result.length, blockAddress: this.#options.blockAddress } };
  }

  #rememberEnded(id: string): void {
    this.#ended[0].add(id);
    if (this.#ended[0].size >= ENDED_MIN) this.#ended = [new Set(), this.#ended[0]];
  }

  #raiseEpoch(application: string, epoch: number): void {
    const known = this.#epochs.get(application) ?? 0;
    this.#epochs.delete(application);
    this.#epochs.set(application, Math.max(known, epoch));
    if (this.#epochs.size <= APPLICATIONS_MAX) return;
    const [oldest] = this.#epochs.keys();
    if (oldest !== undefined) this.#epochs.delete(oldest);
  }
}

function toOffsetRange(expected: ExpectedRange): OffsetRange {
  const { topic, partition, fromOffset, untilOffset, topicId, leaderEpoch } = expected;
  return {
    topic,
    partition,
    fromOffset,
    untilOffset,
    ...(topicId === '' ? {} : { topicId }),
    ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
  };
}

function attemptId(key: TaskKey): string {
  return `${key.application}/${key.epoch}/${key.batchTime}/${key.job}/${key.stage}/${key.partition}/${key.attempt}`;
}

function fields(key: TaskKey): object {
  const { application, batchTime, stage, partition, attempt } = key;
  return { application, batchTime, stage, partition, attempt };
}

/** Every failure names what was read. */
function withDetails(
  outcome: Extract<SlotOutcome, { readonly kind: 'failed' }>,
  task: LaunchTask,
): SlotOutcome {
  const { error } = outcome;
  return { ...outcome, error: { ...error, details: { ...taskDetails(task), ...error.details } } };
}
