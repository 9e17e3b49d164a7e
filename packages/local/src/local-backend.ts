import { type Clock, type Logger, MillraceError } from '@millrace/common';
import {
  type AttemptKey,
  type StageKey,
  type TaskBackend,
  type TaskEvent,
  TaskScheduler,
  type TaskSet,
} from '@millrace/driver/embedding';
import { type TaskEngine, TaskRunner } from '@millrace/executor';

const EXECUTOR_ID = 'local';

export interface LocalBackendOptions {
  readonly application: string;
  readonly slots: number;
  readonly engine: TaskEngine;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Task slots in this process: tasks of different slots take turns at their waits (for Kafka, for asynchronous work). What it cannot
 * survive is what user code does to its own process: a busy loop stops everything, running out of memory or process.exit() ends it.
 */
export class LocalBackend implements TaskBackend {
  readonly #options: LocalBackendOptions;
  readonly #scheduler: TaskScheduler;
  readonly #runners: readonly TaskRunner[];
  readonly #blobs = new Map<string, Uint8Array>();
  readonly #running = new Map<string, AbortController>();

  constructor(options: LocalBackendOptions) {
    this.#options = options;
    const fetchBlob = async (hash: string): Promise<Uint8Array> => {
      const blob = this.#blobs.get(hash);
      if (blob) return blob;
      throw new MillraceError('BLOCK_MISSING', `blob ${hash.slice(0, 12)} is not kept any more`);
    };
    this.#runners = Array.from(
      { length: options.slots },
      () =>
        new TaskRunner({ executorId: EXECUTOR_ID, engine: options.engine, fetchBlob, clock: options.clock }),
    );
    this.#scheduler = new TaskScheduler({
      clock: options.clock,
      logger: options.logger,
      executors: {
        launch: ({ slot, key, set, task }) => void this.#run(slot, key, set, task.task),
        kill: (_executor, key, reason) =>
          this.#running.get(runningId(key))?.abort(new MillraceError('TASK_KILLED', reason)),
        dropBlock: () => undefined,
      },
      fetchResult: async () => {
        throw new MillraceError('INTERNAL', 'local results are never remote');
      },
    });
    this.#scheduler.handle({ kind: 'executor-joined', executorId: EXECUTOR_ID, host: 'localhost' });
    this.#scheduler.handle({
      kind: 'slots-ready',
      executorId: EXECUTOR_ID,
      ready: this.#runners.map((_, slot) => slot),
    });
  }

  get slots(): number {
    return this.#runners.length;
  }

  submit(set: TaskSet): void {
    this.#scheduler.submit(set);
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

  onEvent(listener: (event: TaskEvent) => void): void {
    this.#scheduler.attach(this.#options.application, listener);
  }

  /** Closes the connections of its slots. */
  async close(): Promise<void> {
    this.#scheduler.stop();
    for (const abort of this.#running.values())
      abort.abort(new MillraceError('TASK_KILLED', 'the application ended'));
    await Promise.allSettled(this.#runners.map((runner) => runner.consumers.close()));
  }

  async #run(slot: number, key: AttemptKey, set: TaskSet, task: Uint8Array): Promise<void> {
    const abort = new AbortController();
    const id = runningId(key);
    this.#running.set(id, abort);
    const { clock } = this.#options;
    const timer = clock.schedule(set.taskTimeoutMs, () =>
      abort.abort(new MillraceError('TASK_TIMEOUT', `the task took longer than ${set.taskTimeoutMs} ms`)),
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
    const outcome = await (this.#runners[slot] as TaskRunner).run(request, abort.signal);
    timer.cancel();
    this.#running.delete(id);
    this.#scheduler.handle({
      kind: 'attempt-ended',
      end: {
        executorId: EXECUTOR_ID,
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

function runningId({ epoch, batchTime, jobId, stageId, partition, attempt }: AttemptKey): string {
  return [epoch, batchTime, jobId, stageId, partition, attempt].join('/');
}
