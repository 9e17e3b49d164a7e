import type { ActionCall, PersistedNode } from '@millrace/api/internal';
import { invariant, MillraceError } from '@millrace/common';
import { type JobRunOptions, JobStages, type TaskDone } from './job-stages.ts';
import type { MapBlock } from './map-outputs.ts';
import type { Stage, StageId, StageTask } from './stage.ts';
import { claimedBy, type StageRun } from './stage-run.ts';

/** A stage may be submitted so often in a row without success, as what it reads is lost. Spark's spark.stage.maxConsecutiveAttempts. */
export const STAGE_ATTEMPTS_MAX = 4;

/** Of all stages of a job together: stages that lose one another's output in turns end, too. */
export const FETCH_FAILURES_MAX = 100;

/** Tasks of a stage that are to run now. */
export interface StageLaunch {
  readonly stage: Stage;
  readonly tasks: readonly StageTask[];
  /** Where map tasks write. */
  readonly directory: string;
  /** Their attempts are numbered from here. */
  readonly firstAttempt: number;
}

/** What a task could not read. */
export interface LostOutput {
  readonly executorId: string;
  /** The executor answers, and has given up what it held of this persisted dataset. */
  readonly evicted?: number;
}

/** One job: which of its stages may run, and what they brought. Decides; the scheduler acts. */
export class JobRun {
  readonly jobId: number;
  readonly #stages: JobStages;
  readonly #options: JobRunOptions;
  #failure: unknown;
  #fetchFailures = 0;

  constructor(options: JobRunOptions) {
    this.jobId = options.jobId;
    this.#options = options;
    this.#stages = new JobStages(options);
  }

  /**
   * What may run now: missing tasks of stages that are needed and whose dependencies have succeeded. They are RUNNING from here on; tasks
   * that would find only empty buckets have succeeded, and so have stages without others.
   */
  start(): readonly StageLaunch[] {
    const launches: StageLaunch[] = [];
    // A stage that has ended without a task may let one run that comes before it.
    for (let hasEnded = true; hasEnded; ) {
      hasEnded = false;
      const needed = this.#stages.needed();
      for (const run of this.#stages.all()) {
        if (!needed.has(run) || !this.#stages.isReady(run)) continue;
        this.#stages.move(run, 'RUNNING');
        run.toldAt = this.#options.time.now;
        this.#stages.skipEmpty(run);
        run.running = new Set(claimedBy(this.#stages, run));
        if (run.running.size > 0) launches.push(this.#launch(run));
        else {
          this.#stages.ended(run);
          hasEnded = true;
        }
      }
    }
    return launches;
  }

  /** The result of this attempt is still missing. */
  awaits(stageId: StageId, partition: number, attempt: number): boolean {
    const run = this.#stages.get(stageId);
    return run?.state === 'RUNNING' && run.running.has(partition) && attempt >= run.firstAttempt;
  }

  /** It has not succeeded before: what it counted counts. A map task that is run again brings the same once more. */
  isFirst(stageId: StageId, partition: number): boolean {
    return this.#stages.get(stageId)?.counted.has(partition) === false;
  }

  /**
   * False: it was known already, or nobody waits for it any more.
   * @throws MillraceError BAD_REQUEST when the result of a map task is none.
   */
  succeeded(stageId: StageId, partition: number, done: TaskDone): boolean {
    const run = this.#stages.get(stageId);
    if (!run || !this.awaits(stageId, partition, done.attempt)) return false;
    this.#stages.keep(run, partition, done);
    run.missing.delete(partition);
    run.running.delete(partition);
    run.counted.add(partition);
    run.nextAttempt = Math.max(run.nextAttempt, done.attempt + 1);
    if (run.running.size === 0) this.#stages.ended(run);
    return true;
  }

  /**
   * A task of the stage could not read what map tasks left on this executor: all that they left there is missing, and the stage waits for it.
   * When that has happened too often, the job fails: stages that run are returned, to be cancelled.
   */
  fetchFailed(stageId: StageId, { executorId, evicted }: LostOutput, error: unknown): readonly Stage[] {
    const run = this.#stages.get(stageId);
    if (run?.state !== 'RUNNING') return [];
    run.running = new Set();
    this.#stages.move(run, 'WAITING');
    this.#fetchFailures++;
    // A dataset is evicted once: then it may be no more. So that ends, however many there are.
    if (evicted === undefined) run.fetchFailures++;
    if (run.fetchFailures >= STAGE_ATTEMPTS_MAX || this.#fetchFailures >= FETCH_FAILURES_MAX)
      return this.#fail(run, error);
    if (evicted !== undefined) {
      this.#stages.evicted(run, executorId, evicted);
      return [];
    }
    // What it had been told of may all have been replaced since: then the loss is known.
    const isNews = run.stage.dependencies.some((id) =>
      this.#stages.get(id)?.outputs.knownAt(executorId, run.toldAt),
    );
    if (isNews) this.#stages.lose(executorId);
    return [];
  }

  /** The stage cannot succeed: neither can the job. Its other running stages are returned, to be cancelled. */
  failed(stageId: StageId, error: unknown): readonly Stage[] {
    const run = this.#stages.get(stageId);
    return run?.state === 'RUNNING' ? this.#fail(run, error) : [];
  }

  /** Running stages are returned, to be cancelled. */
  cancel(error: unknown = this.#failure): readonly Stage[] {
    const running: Stage[] = [];
    for (const run of this.#stages.all()) {
      if (run.state === 'RUNNING') running.push(run.stage);
      if (run.state === 'RUNNING' || run.state === 'WAITING') this.#stages.move(run, 'CANCELLED');
    }
    this.#failure ??= error ?? new MillraceError('CANCELLED', `job ${this.jobId} was cancelled`);
    return running;
  }

  /** It is over: what it has left is there for the jobs that follow. Once. */
  close(): void {
    this.#stages.close();
  }

  /** Blocks of a bucket of a map stage that has succeeded: in map-partition order, without the empty ones. */
  blocks(from: StageId, bucket: number): readonly MapBlock[] {
    return this.#stages.get(from)?.outputs.blocks(bucket) ?? [];
  }

  /** A bucket of one map task of such a stage; undefined when it is empty. */
  block(from: StageId, mapPartition: number, bucket: number): MapBlock | undefined {
    return this.#stages.get(from)?.outputs.block(mapPartition, bucket);
  }

  get action(): ActionCall {
    return this.#stages.action;
  }

  isResultStage(stageId: StageId): boolean {
    return this.#stages.last.stage.id === stageId;
  }

  /** Undefined: it has no such stage. */
  stage(id: StageId): Stage | undefined {
    return this.#stages.get(id)?.stage;
  }

  /** Checkpoints that it reads. */
  get checkpoints(): readonly PersistedNode[] {
    return [...this.#stages.all()].flatMap(({ stage }) =>
      stage.kind === 'map' && stage.stored.kind === 'persisted' && stage.stored.checkpoint
        ? [stage.stored]
        : [],
    );
  }

  /** Of all results so far. */
  get resultBytes(): number {
    return this.#stages.resultBytes;
  }

  get finished(): boolean {
    return this.#failure !== undefined || this.#stages.last.state === 'SUCCEEDED';
  }

  /** Why it did not succeed. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Results of these task partitions; of all when none are named. */
  results(partitions?: readonly number[]): readonly Uint8Array[] {
    const { results } = this.#stages;
    return (partitions ?? [...results.keys()].toSorted((a, b) => a - b)).map((partition) => {
      const result = results.get(partition);
      invariant(result !== undefined, `job ${this.jobId} has a result of task partition ${partition}`);
      return result;
    });
  }

  #launch(run: StageRun): StageLaunch {
    const { stage, running } = run;
    run.firstAttempt = run.nextAttempt;
    run.nextAttempt++;
    if (stage.kind === 'map') run.directory = this.#options.directoryOf(stage.id, run.kept?.takeName());
    const tasks = stage.tasks.filter(({ partition }) => running.has(partition));
    return { stage, tasks, directory: run.directory, firstAttempt: run.firstAttempt };
  }

  #fail(run: StageRun, error: unknown): readonly Stage[] {
    this.#stages.move(run, 'FAILED');
    this.#failure ??= error;
    return this.cancel();
  }
}
