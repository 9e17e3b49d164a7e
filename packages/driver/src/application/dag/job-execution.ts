import type { ActionCall, JobOptions } from '@millrace/api/internal';
import {
  assertNever,
  crashPoint,
  type ErrorRecord,
  type Logger,
  MillraceError,
  messageOf,
} from '@millrace/common';
import type { StageKey, TaskBackend, TaskEvent } from '../../task-backend.ts';
import type { BlobKeeper } from './blob-keeper.ts';
import type { JobRun, LostOutput, StageLaunch } from './job-run.ts';
import type { Stage, StageId } from './stage.ts';
import { inputName } from './task-input.ts';
import { type MadeTaskSet, makeTaskSet, type TaskSetLimits } from './task-set-maker.ts';

export interface JobExecutionOptions extends TaskSetLimits {
  readonly backend: TaskBackend;
  readonly logger: Logger;
  readonly application: string;
  readonly epoch: number;
  readonly job: TaskSetLimits['job'] & Pick<JobOptions, 'actionResultBytesMax'>;
  readonly applyAccumulators: (updates: Uint8Array) => void;
  /** Moves a task's stack to the user's sources. */
  readonly mapError: (error: ErrorRecord) => ErrorRecord;
}

/** What the tasks of a batch did so far. */
export interface BatchTally {
  /** Read of each input, whose name is that of `inputName`: several jobs may read one, and not all of it. */
  readonly records: Map<unknown, number>;
  tasks: number;
  failedAttempts: number;
}

/** What the jobs of a batch share. */
export interface JobSurroundings {
  readonly batchTime: number;
  readonly tally: BatchTally;
  readonly blobs: BlobKeeper;
  /** The job is over; called once. */
  readonly ended: () => void;
}

type Succeeded = Extract<TaskEvent, { kind: 'task-succeeded' }>;

/** Runs one job: does what its JobRun decides, and tells it what came of it. */
export class JobExecution {
  readonly run: JobRun;
  readonly #options: JobExecutionOptions;
  readonly #around: JobSurroundings;
  /** What tasks read, by stage and partition. */
  readonly #inputs = new Map<StageId, Map<number, unknown>>();
  readonly #done = Promise.withResolvers<void>();
  #over = false;

  constructor(run: JobRun, options: JobExecutionOptions, around: JobSurroundings) {
    this.run = run;
    this.#options = options;
    this.#around = around;
    // Whoever started the job awaits it; others may, too.
    this.#done.promise.catch(() => undefined);
  }

  /** Rejects with what made the job fail. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Submits what has become ready; ends the job when nothing is left to do. */
  advance(): void {
    for (const launch of this.run.start()) if (!this.run.finished) this.#submit(launch);
    this.#finish();
  }

  cancel(error: MillraceError): void {
    this.#cancelStages(this.run.cancel(error));
    this.#finish();
  }

  handle(event: TaskEvent): void {
    const { batchTime, tally } = this.#around;
    const { key } = event;
    // Events of an earlier batch or epoch may be on their way still.
    if (key.batchTime !== batchTime || key.epoch !== this.#options.epoch) return;
    const stageId = key.stageId as StageId;
    switch (event.kind) {
      case 'task-succeeded':
        this.#taskSucceeded(stageId, event);
        return;
      case 'attempt-failed': {
        tally.failedAttempts++;
        const { partition, attempt, executorId, error } = event;
        this.#options.logger.warn(
          { batchTime, stageId, partition, attempt, executorId, code: error.code, reason: error.what },
          'task attempt failed; another one follows',
        );
        return;
      }
      case 'set-failed':
        tally.failedAttempts++;
        this.#setFailed(stageId, event.error);
        return;
      default:
        assertNever(event, 'task event');
    }
  }

  #submit(launch: StageLaunch): void {
    const { id } = launch.stage;
    try {
      const inputs = this.#inputs.get(id) ?? new Map<number, unknown>();
      this.#inputs.set(id, inputs);
      for (const task of launch.tasks) inputs.set(task.partition, inputName(launch.stage, task));
      const made = makeTaskSet(launch, this.#key(id), this.run, this.#options);
      if (made.blobs.size === 0 && made.broadcasts.length === 0) this.#submitSet(made);
      else void this.#submitWithBlobs(id, made);
    } catch (error) {
      this.#fail(id, error);
    }
  }

  async #submitWithBlobs(stageId: StageId, made: MadeTaskSet): Promise<void> {
    try {
      await this.#around.blobs.ready(made.blobs, made.broadcasts);
      // The job may have been cancelled meanwhile.
      if (!this.run.finished) this.#submitSet(made);
    } catch (error) {
      this.#fail(stageId, error);
    }
  }

  #submitSet({ set }: MadeTaskSet): void {
    this.#around.tally.tasks += set.tasks.length;
    crashPoint('before-tasks');
    this.#options.backend.submit(set);
  }

  #taskSucceeded(stageId: StageId, event: Succeeded): void {
    crashPoint('tasks-running');
    const { run } = this;
    const { partition, result, metrics } = event;
    if (!run.awaits(stageId, partition, event.attempt)) return;
    const bytesMax = this.#options.job.actionResultBytesMax;
    if (run.isResultStage(stageId) && run.resultBytes + result.length > bytesMax) {
      this.#fail(stageId, resultsTooLarge(run.action, bytesMax));
      return;
    }
    if (run.isFirst(stageId, partition)) {
      // Accumulators first: a stage that has succeeded can no longer fail.
      if (!this.#applyAccumulators(stageId, event.accumulators)) return;
      this.#count(this.#inputs.get(stageId)?.get(partition), metrics.records);
    }
    try {
      run.succeeded(stageId, partition, event);
    } catch (error) {
      this.#fail(stageId, error);
      return;
    }
    this.advance();
  }

  #count(input: unknown, records: number): void {
    if (input === undefined) return;
    const { tally } = this.#around;
    tally.records.set(input, Math.max(tally.records.get(input) ?? 0, records));
  }

  #setFailed(stageId: StageId, record: ErrorRecord): void {
    const error = MillraceError.fromRecord(this.#options.mapError(record));
    if (error.code !== 'FETCH_FAILED') {
      this.#fail(stageId, movedOn(this.run.stage(stageId), this.#around.batchTime, error) ?? error);
      return;
    }
    const lost = lostOutput(record);
    const { executorId } = lost;
    this.#options.logger.warn(
      { batchTime: this.#around.batchTime, stageId, executorId, reason: error.what },
      'what map tasks left on an executor is lost; they run again',
    );
    this.#cancelStages(this.run.fetchFailed(stageId, lost, error));
    this.advance();
  }

  #applyAccumulators(stageId: StageId, updates: Uint8Array): boolean {
    try {
      this.#options.applyAccumulators(updates);
      return true;
    } catch (error) {
      const what = `accumulator updates could not be applied: ${messageOf(error)}`;
      // A merge function of the user's is the user's.
      const coded = MillraceError.is(error) ? error : new MillraceError('INTERNAL', what, { cause: error });
      this.#fail(stageId, coded);
      return false;
    }
  }

  #fail(stageId: StageId, error: unknown): void {
    this.#cancelStages(this.run.failed(stageId, error));
    this.#finish();
  }

  #cancelStages(stages: readonly Stage[]): void {
    for (const { id } of stages) this.#options.backend.cancel(this.#key(id));
  }

  #finish(): void {
    if (this.#over || !this.run.finished) return;
    this.#over = true;
    this.run.close();
    this.#around.ended();
    if (this.run.failure === undefined) this.#done.resolve();
    else this.#done.reject(this.run.failure);
  }

  #key(stageId: StageId): StageKey {
    const { application, epoch } = this.#options;
    return { application, epoch, batchTime: this.#around.batchTime, jobId: this.run.jobId, stageId };
  }
}

/** Of a FETCH_FAILED. Blocks that are missing in a directory that an executor may empty were given up; see keptName. */
function lostOutput({ details }: ErrorRecord): LostOutput {
  const executorId = String(details['executorId'] ?? '');
  const [, dataset] = /^[^/]+\/\d+\/cache-(\d+)\//.exec(String(details['shuffle'] ?? '')) ?? [];
  return dataset !== undefined && details['missing'] === true
    ? { executorId, evicted: Number(dataset) }
    : { executorId };
}

/** A job kept rows of keyed state for longer than its windows would: they were lost, and what they were made from is not there any more. */
function movedOn(stage: Stage | undefined, now: number, error: MillraceError): MillraceError | undefined {
  if (error.code !== 'STATE_CORRUPT' || stage?.kind !== 'map' || stage.stored.kind !== 'stateful')
    return undefined;
  const { call, place } = stage.stored;
  if (call.batchTime === now) return undefined;
  return new MillraceError(
    'BAD_REQUEST',
    `the rows that "${call.name}" made of batch ${new Date(call.batchTime).toISOString()} are lost, and cannot be made again: its state has moved on`,
    {
      remedy:
        'What is kept of such rows for longer than a window keeps them: keep it as a checkpoint (rdd.checkpoint()).',
      retryable: false,
      details: { operator: call.name, batchTime: call.batchTime, place },
      cause: error,
    },
  );
}

function resultsTooLarge({ kind, place }: ActionCall, bytesMax: number): MillraceError {
  return new MillraceError(
    'RESULT_TOO_LARGE',
    `the results of ${kind}() are larger than ${bytesMax} bytes together`,
    {
      remedy:
        'Take fewer rows (take, top), reduce them on the executors, or write them there (foreachPartition); or raise actionResultBytesMax.',
      retryable: false,
      details: { place, bytesMax },
    },
  );
}
