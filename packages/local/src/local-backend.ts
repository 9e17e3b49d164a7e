import { join } from 'node:path';
import { type Clock, type Logger, MillraceError } from '@millrace/common';
import {
  type AttemptKey,
  type BatchKey,
  type ExpectedRange,
  type KeptKey,
  type StageKey,
  type TaskBackend,
  type TaskEvent,
  TaskScheduler,
  type TaskSet,
} from '@millrace/driver/embedding';
import { type SlotOutcome, type TaskEngine, TaskRunner, type TaskRunnerOptions } from '@millrace/executor';
import { LocalShuffle } from './local-shuffle.ts';

const EXECUTOR_ID = 'local';

interface LocalSlot {
  readonly runner: TaskRunner;
  /** The end of the task that it was given last. */
  last: Promise<void>;
}

interface Attempt {
  readonly abort: AbortController;
  begun: boolean;
}

export interface LocalBackendOptions {
  readonly application: string;
  readonly slots: number;
  /** Where keyed state lies. Absent: there is none. */
  readonly stateDirectory?: string;
  readonly engine: TaskEngine;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Task slots in this process: tasks of different slots take turns at their waits (for Kafka, for asynchronous work). What it cannot
 * survive is what user code does to its own process: a busy loop stops everything, running out of memory or process.exit() ends it.
 */
export class LocalBackend implements TaskBackend {
  readonly #shuffle: LocalShuffle;
  readonly #options: LocalBackendOptions;
  readonly #scheduler: TaskScheduler;
  readonly #slots: readonly LocalSlot[];
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #attempts = new Map<string, Attempt>();

  constructor(options: LocalBackendOptions) {
    this.#options = options;
    const fetchBlob = async (hash: string): Promise<Uint8Array> => {
      const blob = this.#blobs.get(hash);
      if (blob) return blob;
      throw new MillraceError('BLOCK_MISSING', `blob ${hash.slice(0, 12)} is not kept any more`);
    };
    const { engine, clock } = options;
    const shuffle = new LocalShuffle(EXECUTOR_ID, clock);
    this.#shuffle = shuffle;
    this.#slots = Array.from({ length: options.slots }, (_, slot) => ({
      runner: new TaskRunner({
        executorId: EXECUTOR_ID,
        engine,
        fetchBlob,
        clock,
        ...shuffle.ofSlot(slot),
        ...(options.stateDirectory !== undefined && { fetchState: inDirectory(options.stateDirectory) }),
        onDisposeFailure: (error) =>
          options.logger.warn({ err: error }, 'a perExecutor value could not be disposed'),
      }),
      last: Promise.resolve(),
    }));
    this.#scheduler = new TaskScheduler({
      clock: options.clock,
      logger: options.logger,
      executors: {
        launch: ({ slot, key, set, task }) => this.#launch(slot, key, set, task.task),
        kill: (_executor, key, reason, onlyWaiting) => this.#kill(key, reason, onlyWaiting),
        dropBlock: () => undefined,
        dropShuffle: () => undefined,
        prefetch: (_executor, slot, ranges) => {
          for (const range of ranges) this.#slots[slot]?.runner.consumers.prefetch(range);
        },
        flush: () => undefined,
      },
      fetchResult: async () => {
        throw new MillraceError('INTERNAL', 'local results are never remote');
      },
    });
    this.#scheduler.handle({ kind: 'executor-joined', executorId: EXECUTOR_ID, host: 'localhost' });
    this.#scheduler.handle({
      kind: 'slots-ready',
      executorId: EXECUTOR_ID,
      ready: this.#slots.map((_, slot) => slot),
    });
  }

  get slots(): number {
    return this.#slots.length;
  }

  submit(set: TaskSet): void {
    this.#scheduler.submit(set);
  }

  prefetch(expected: readonly ExpectedRange[]): void {
    this.#scheduler.prefetch(expected);
  }

  cancel(key: StageKey): void {
    this.#scheduler.cancel(key);
  }

  async putBlob(hash: string, content: Uint8Array): Promise<void> {
    this.#blobs.set(hash, content);
  }

  dropBlobs(hashes: readonly string[]): void {
    for (const hash of hashes) this.#blobs.delete(hash);
  }

  dropShuffle(what: BatchKey | KeptKey): void {
    this.#shuffle
      .drop(what)
      .catch((error: unknown) =>
        this.#options.logger.warn({ err: error }, 'map outputs could not be dropped'),
      );
  }

  onEvent(listener: (event: TaskEvent) => void): void {
    this.#scheduler.attach(this.#options.application, listener);
  }

  /** Closes the connections of its slots. */
  async close(): Promise<void> {
    this.#scheduler.stop();
    for (const { abort } of this.#attempts.values())
      abort.abort(new MillraceError('TASK_KILLED', 'the application ended'));
    await Promise.allSettled(this.#slots.map(({ runner }) => runner.close()));
    await this.#shuffle.close();
  }

  /** What a map task left is known before its end is. */
  async #admitted(outcome: SlotOutcome): Promise<SlotOutcome> {
    try {
      await this.#shuffle.admit(outcome);
      return outcome;
    } catch (error) {
      return { kind: 'failed', error: MillraceError.toRecord(error), metrics: outcome.metrics };
    }
  }

  #kill(key: AttemptKey, reason: string, onlyWaiting: boolean): void {
    const attempt = this.#attempts.get(attemptIdOf(key));
    if (attempt && !(onlyWaiting && attempt.begun))
      attempt.abort.abort(new MillraceError('TASK_KILLED', reason));
  }

  /** A slot runs one task after the other. */
  #launch(index: number, key: AttemptKey, set: TaskSet, task: Uint8Array): void {
    const slot = this.#slots[index];
    if (!slot) return;
    const attempt: Attempt = { abort: new AbortController(), begun: false };
    this.#attempts.set(attemptIdOf(key), attempt);
    slot.last = slot.last.then(() => this.#run(slot, index, attempt, key, set, task));
  }

  async #run(
    { runner }: LocalSlot,
    slot: number,
    attempt: Attempt,
    key: AttemptKey,
    set: TaskSet,
    task: Uint8Array,
  ): Promise<void> {
    attempt.begun = true;
    const { abort } = attempt;
    const { clock } = this.#options;
    const timer = clock.schedule(set.taskTimeoutMs, () =>
      abort.abort(
        new MillraceError('TASK_TIMEOUT', `the task took longer than ${set.taskTimeoutMs} ms`, {
          remedy: 'Look for a call that waits for ever, or raise the job option taskTimeout.',
        }),
      ),
    );
    const wire = {
      application: key.application,
      epoch: key.epoch,
      batchTime: key.batchTime,
      job: key.jobId,
      stage: key.stageId,
      partition: key.partition,
      attempt: key.attempt,
    };
    const request = { key: wire, programHash: set.programHash, programDir: '', stage: set.stage, task };
    const outcome = await this.#admitted(await runner.run(runner.prepare(request), abort.signal));
    timer.cancel();
    this.#attempts.delete(attemptIdOf(key));
    this.#scheduler.handle({
      kind: 'attempt-ended',
      end: {
        executorId: EXECUTOR_ID,
        blockAddress: '',
        slot,
        key,
        outcome:
          outcome.kind === 'succeeded'
            ? { kind: 'result', result: outcome.result }
            : { kind: 'failure', error: outcome.error },
        accumulators: outcome.kind === 'succeeded' ? outcome.accumulators : new Uint8Array(),
        metrics: { ...outcome.metrics, queueMs: 0 },
      },
    });
  }
}

/** The files themselves: nothing is copied. */
function inDirectory(directory: string): NonNullable<TaskRunnerOptions['fetchState']> {
  return async (_application, { file, offset }) => ({
    path: join(directory, file),
    offset,
    release: () => undefined,
  });
}

function attemptIdOf({ epoch, batchTime, jobId, stageId, partition, attempt }: AttemptKey): string {
  return [epoch, batchTime, jobId, stageId, partition, attempt].join('/');
}
