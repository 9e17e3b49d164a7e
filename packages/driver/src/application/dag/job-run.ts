import type { ActionCall } from '@millrace/api/internal';
import { invariant, MillraceError, transition } from '@millrace/common';
import { decodeMapOutput } from '@millrace/proto/task';
import type { BatchShuffles } from './batch-shuffles.ts';
import type { MapBlock } from './map-outputs.ts';
import { STAGE_TRANSITIONS, type Stage, type StageId, type StageState, type StageTask } from './stage.ts';
import { newStageRun, type StageRun } from './stage-run.ts';
import { isEmptyTask } from './task-input.ts';

/** A stage may be submitted so often in a row without success, as what it reads is lost. Spark's spark.stage.maxConsecutiveAttempts. */
export const STAGE_ATTEMPTS_MAX = 4;

/** Of all stages of a job together: stages that lose one another's output in turns end, too. */
export const FETCH_FAILURES_MAX = 100;

/** Tasks of a stage that are to run now. */
export interface StageLaunch {
  readonly stage: Stage;
  readonly tasks: readonly StageTask[];
  /** Their attempts are numbered from here. */
  readonly firstAttempt: number;
}

/** What a task that succeeded reports. */
export interface TaskDone {
  readonly result: Uint8Array;
  readonly attempt: number;
  readonly executorId: string;
  readonly blockAddress: string;
}

export interface JobRunOptions {
  readonly jobId: number;
  readonly stages: readonly Stage[];
  /** What earlier jobs of the batch left. */
  readonly shuffles: BatchShuffles;
  /** Where a map stage writes. */
  readonly directoryOf: (stageId: StageId) => string;
}

/** One job: which of its stages may run, and what they brought. Decides; the scheduler acts. */
export class JobRun {
  readonly jobId: number;
  readonly #stages = new Map<StageId, StageRun>();
  readonly #shuffles: BatchShuffles;
  readonly #directoryOf: JobRunOptions['directoryOf'];
  readonly #results = new Map<number, Uint8Array>();
  readonly #last: StageRun;
  readonly #action: ActionCall;
  #failure: unknown;
  #resultBytes = 0;
  #fetchFailures = 0;
  /** Counts the map outputs. */
  #time = 0;

  constructor({ jobId, stages, shuffles, directoryOf }: JobRunOptions) {
    this.jobId = jobId;
    this.#shuffles = shuffles;
    this.#directoryOf = directoryOf;
    for (const stage of stages) {
      const run = newStageRun(stage, shuffles);
      this.#stages.set(stage.id, run);
      this.#keepEmpty(run, stage.known);
    }
    const last = this.#stages.get(stages.at(-1)?.id as StageId);
    invariant(last?.stage.kind === 'result', `job ${jobId} ends in a result stage`);
    this.#last = last;
    this.#action = last.stage.action;
  }

  /**
   * What may run now: missing tasks of stages that are needed and whose dependencies have succeeded. They are RUNNING from here on; tasks
   * that would find only empty buckets have succeeded, and so have stages without others.
   */
  start(): readonly StageLaunch[] {
    const launches: StageLaunch[] = [];
    const needed = this.#needed();
    for (const run of this.#stages.values()) {
      const ready = run.stage.dependencies.every((id) => this.#stages.get(id)?.state === 'SUCCEEDED');
      if (!needed.has(run) || !ready) continue;
      this.#move(run, 'RUNNING');
      run.toldAt = this.#time;
      this.#skipEmpty(run);
      if (run.missing.size === 0) {
        this.#ended(run);
        continue;
      }
      run.running = new Set(run.missing);
      run.firstAttempt = run.nextAttempt;
      run.nextAttempt++;
      const tasks = run.stage.tasks.filter(({ partition }) => run.missing.has(partition));
      launches.push({ stage: run.stage, tasks, firstAttempt: run.firstAttempt });
    }
    return launches;
  }

  /** Blocks of a bucket of a map stage that has succeeded: in map-partition order, without the empty ones. */
  blocks(from: StageId, bucket: number): readonly MapBlock[] {
    return this.#stages.get(from)?.outputs.blocks(bucket) ?? [];
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
    this.#keep(run, partition, done);
    run.missing.delete(partition);
    run.running.delete(partition);
    run.counted.add(partition);
    run.nextAttempt = Math.max(run.nextAttempt, done.attempt + 1);
    if (run.running.size === 0) this.#ended(run);
    return true;
  }

  /**
   * A task of the stage could not read what map tasks left on this executor: all that they left there is missing, and the stage waits for it.
   * When that has happened too often, the job fails: stages that run are returned, to be cancelled.
   */
  fetchFailed(stageId: StageId, executorId: string, error: unknown): readonly Stage[] {
    const run = this.#stages.get(stageId);
    if (run?.state !== 'RUNNING') return [];
    run.running = new Set();
    this.#move(run, 'WAITING');
    this.#fetchFailures++;
    if (++run.fetchFailures >= STAGE_ATTEMPTS_MAX || this.#fetchFailures >= FETCH_FAILURES_MAX)
      return this.#fail(run, error);
    // What it had been told of may all have been replaced since: then the loss is known.
    const isNews = run.stage.dependencies.some((id) =>
      this.#stages.get(id)?.outputs.knownAt(executorId, run.toldAt),
    );
    if (isNews) this.#executorLost(executorId);
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
    for (const run of this.#stages.values()) {
      if (run.state === 'RUNNING') running.push(run.stage);
      if (run.state === 'RUNNING' || run.state === 'WAITING') this.#move(run, 'CANCELLED');
    }
    this.#failure ??= error ?? new MillraceError('CANCELLED', `job ${this.jobId} was cancelled`);
    return running;
  }

  /** For the jobs of the batch that follow. */
  keepShuffles(): void {
    for (const { stage, outputs, counted } of this.#stages.values())
      if (stage.kind === 'map') this.#shuffles.keep(stage.shuffle, { outputs, counted });
  }

  get action(): ActionCall {
    return this.#action;
  }

  isResultStage(stageId: StageId): boolean {
    return this.#last.stage.id === stageId;
  }

  /** Of all results so far. */
  get resultBytes(): number {
    return this.#resultBytes;
  }

  get finished(): boolean {
    return this.#failure !== undefined || this.#last.state === 'SUCCEEDED';
  }

  /** Why it did not succeed. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Results of these task partitions; of all when none are named. */
  results(partitions?: readonly number[]): readonly Uint8Array[] {
    const results = this.#results;
    return (partitions ?? [...results.keys()].toSorted((a, b) => a - b)).map((partition) => {
      const result = results.get(partition);
      invariant(result !== undefined, `job ${this.jobId} has a result of task partition ${partition}`);
      return result;
    });
  }

  /** Stages that wait, and without which the job does not end: what a stage that has succeeded read may be lost. */
  #needed(): ReadonlySet<StageRun> {
    const needed = new Set<StageRun>();
    const open = [this.#last];
    for (let run = open.pop(); run !== undefined; run = open.pop()) {
      if (run.state !== 'WAITING' || needed.has(run)) continue;
      needed.add(run);
      for (const id of run.stage.dependencies) open.push(this.#stages.get(id) as StageRun);
    }
    return needed;
  }

  #skipEmpty(run: StageRun): void {
    const { stage, missing } = run;
    if (stage.dependencies.length === 0 || stage.emptyResult === undefined) return;
    const isBucketEmpty = (from: StageId, bucket: number): boolean =>
      this.#stages.get(from)?.outputs.isEmpty(bucket) === true;
    for (const { partition, pipeline, input } of stage.tasks) {
      const chain = stage.pipelines[pipeline];
      if (!chain || !missing.has(partition) || !isEmptyTask(chain, input, isBucketEmpty)) continue;
      missing.delete(partition);
      this.#keepEmpty(run, [partition]);
    }
  }

  #keepEmpty({ stage, outputs }: StageRun, partitions: Iterable<number>): void {
    for (const partition of partitions) {
      if (stage.kind === 'map') outputs.addEmpty(partition);
      else if (stage.emptyResult !== undefined) this.#results.set(partition, stage.emptyResult);
    }
  }

  #keep(
    { stage, outputs }: StageRun,
    partition: number,
    { result, attempt, executorId, blockAddress }: TaskDone,
  ): void {
    if (stage.kind === 'result') {
      this.#results.set(partition, result);
      this.#resultBytes += result.length;
      return;
    }
    const { sizes } = decodeMapOutput(result);
    const { partitions } = stage.shuffle.partitioner;
    if (sizes.length !== partitions)
      throw new MillraceError(
        'BAD_REQUEST',
        `a map task made ${sizes.length} buckets instead of ${partitions}`,
      );
    const directory = this.#directoryOf(stage.id);
    const output = { executorId, address: blockAddress, directory, attempt, sizes };
    outputs.add(partition, output, ++this.#time);
  }

  /** The set that ran is over; some of the stage's output may have been lost meanwhile. */
  #ended(run: StageRun): void {
    this.#move(run, run.missing.size === 0 ? 'SUCCEEDED' : 'WAITING');
    run.fetchFailures = 0;
  }

  #executorLost(executorId: string): void {
    for (const run of this.#stages.values()) {
      const lost = run.outputs.lose(executorId);
      for (const partition of lost) run.missing.add(partition);
      if (lost.length > 0 && run.state === 'SUCCEEDED') this.#move(run, 'WAITING');
    }
  }

  #fail(run: StageRun, error: unknown): readonly Stage[] {
    this.#move(run, 'FAILED');
    this.#failure ??= error;
    return this.cancel();
  }

  #move(run: StageRun, to: StageState): void {
    run.state = transition(STAGE_TRANSITIONS, `stage ${run.stage.id} of job ${this.jobId}`, run.state, to);
  }
}
