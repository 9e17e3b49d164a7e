import { type ActionCall, bucketCount, type StateCall } from '@millrace/api/internal';
import { invariant, MillraceError, transition } from '@millrace/common';
import { decodeMapOutput } from '@millrace/proto/task';
import type { BatchShuffles } from './batch-shuffles.ts';
import type { KeptDataset, KeptDatasets } from './kept-datasets.ts';
import type { MapOutput } from './map-outputs.ts';
import { STAGE_TRANSITIONS, type Stage, type StageId, type StageState } from './stage.ts';
import type { StagePlanner } from './stage-builder.ts';
import { claim, claimedBy, newStageRun, refresh, type StageRun } from './stage-run.ts';
import { isEmptyTask, type StoredInput } from './task-input.ts';

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
  /** What jobs of any batch left of persisted datasets. */
  readonly datasets: KeptDatasets;
  /** Where a map stage writes. `kept`: the name of a dataset that outlives the batch. */
  readonly directoryOf: (stageId: StageId, kept: string | undefined) => string;
  /** See StagePlanner. */
  readonly grow: StagePlanner['grow'];
  /** Of all jobs that share datasets: counts map outputs. */
  readonly time: { now: number };
  /** What a task of a stateful operator changed; undefined: nothing. */
  readonly keepState?: (call: StateCall, partition: number, section: Uint8Array | undefined) => void;
  /** `copy` of what a task of a checkpoint has left is to become durable. @throws MillraceError STATE_WRITE_FAILED. */
  readonly keepCopy?: (kept: KeptDataset, mapPartition: number, output: MapOutput, copy: Uint8Array) => void;
}

/** The stages of one job: what is there of each, what is missing, which are needed. */
export class JobStages {
  /** What the job is about: its action, and the stage that ends in it. */
  readonly action: ActionCall;
  readonly last: StageRun;
  /** Of its task partitions. */
  readonly results = new Map<number, Uint8Array>();
  /** Of all results so far. */
  resultBytes = 0;
  readonly #runs = new Map<StageId, StageRun>();
  readonly #options: JobRunOptions;

  constructor(options: JobRunOptions) {
    const { jobId, stages } = options;
    this.#options = options;
    this.#plan(stages);
    const last = this.#runs.get(stages.at(-1)?.id as StageId);
    invariant(last?.stage.kind === 'result', `job ${jobId} ends in a result stage`);
    this.last = last;
    this.action = last.stage.action;
  }

  get(id: StageId): StageRun | undefined {
    return this.#runs.get(id);
  }

  all(): Iterable<StageRun> {
    return this.#runs.values();
  }

  /** Stages that wait, and without which the job does not end: what a stage that has succeeded read may be lost. */
  needed(): ReadonlySet<StageRun> {
    const needed = new Set<StageRun>();
    const open = [this.last];
    for (let run = open.pop(); run !== undefined; run = open.pop()) {
      this.#refresh(run);
      if (run.state !== 'WAITING' || needed.has(run)) continue;
      needed.add(run);
      // What it reads is not needed when all is there, or another job is at it.
      if (run.kept && !claim(this, run)) continue;
      for (const id of run.stage.dependencies) open.push(this.#runs.get(id) as StageRun);
    }
    return needed;
  }

  /** All that it reads is there, or nothing is to be read. */
  isReady(run: StageRun): boolean {
    if (run.kept && run.missing.size === 0) return true;
    if (run.kept && claimedBy(this, run).length === 0) return false;
    return run.stage.dependencies.every((id) => this.#runs.get(id)?.state === 'SUCCEEDED');
  }

  /** Tasks that would find only empty buckets have succeeded. */
  skipEmpty(run: StageRun): void {
    const { stage, missing } = run;
    if (stage.dependencies.length === 0 || stage.emptyResult === undefined) return;
    const isNothing = (input: StoredInput<StageId>): boolean => {
      const outputs = this.#runs.get(input.from)?.outputs;
      if (input.kind === 'shuffle') return outputs?.isEmpty(input.bucket) === true;
      return outputs?.block(input.mapPartition, input.bucket) === undefined;
    };
    for (const { partition, pipeline, input, always } of stage.tasks) {
      const chain = stage.pipelines[pipeline];
      if (!chain || always || !missing.has(partition) || !isEmptyTask(chain, input, isNothing)) continue;
      missing.delete(partition);
      this.#keepEmpty(run, [partition]);
    }
  }

  /** What a task has brought. @throws MillraceError BAD_REQUEST when the result of a map task is none. */
  keep(
    { stage, outputs, directory, kept }: StageRun,
    partition: number,
    { result, attempt, executorId, blockAddress }: TaskDone,
  ): void {
    if (stage.kind === 'result') {
      this.results.set(partition, result);
      this.resultBytes += result.length;
      return;
    }
    const { state, copy, ...made } = decodeMapOutput(result);
    const { sizes, inline } = made;
    const buckets = bucketCount(stage.stored);
    if (sizes.length !== buckets)
      throw new MillraceError('BAD_REQUEST', `a map task made ${sizes.length} buckets instead of ${buckets}`);
    if (inline && inline.length !== sizes.reduce((sum, bytes) => sum + bytes, 0))
      throw new MillraceError('BAD_REQUEST', `a map task made ${inline.length} bytes, and said otherwise`);
    if (stage.stored.kind === 'stateful') this.#options.keepState?.(stage.stored.call, partition, state);
    const output = { executorId, address: blockAddress, directory, attempt, ...made };
    outputs.add(partition, output, ++this.#options.time.now);
    if (copy && kept) this.#options.keepCopy?.(kept, partition, output, copy);
    kept?.claims.delete(partition);
  }

  /** The set that ran is over; some of the stage's output may have been lost meanwhile. */
  ended(run: StageRun): void {
    this.move(run, run.missing.size === 0 ? 'SUCCEEDED' : 'WAITING');
    run.fetchFailures = 0;
    if (run.kept) this.#options.datasets.changed();
  }

  /** All that map tasks left there is missing; but what is kept is looked at when it is needed. */
  lose(executorId: string): void {
    for (const run of this.#runs.values()) {
      const lost = run.outputs.lose(executorId);
      if (run.kept) continue;
      for (const partition of lost) run.missing.add(partition);
      if (lost.length > 0 && run.state === 'SUCCEEDED') this.move(run, 'WAITING');
    }
  }

  /** What is stored of the dataset from now on stays. */
  evicted({ stage }: StageRun, executorId: string, dataset: number): void {
    for (const id of stage.dependencies) {
      const { kept } = this.#runs.get(id) ?? {};
      if (kept?.id !== dataset) continue;
      kept.isEvictable = false;
      kept.outputs.lose(executorId);
    }
  }

  /** It is over: what it has left is there for the jobs that follow. Once. */
  close(): void {
    for (const { stage, outputs, kept } of this.#runs.values()) {
      if (stage.kind !== 'map') continue;
      if (!kept) {
        this.#options.shuffles.keep(stage.stored, outputs);
        continue;
      }
      for (const [partition, job] of kept.claims) if (job === this) kept.claims.delete(partition);
      this.#options.datasets.leave(kept);
    }
    this.#options.datasets.changed();
  }

  move(run: StageRun, to: StageState): void {
    run.state = transition(
      STAGE_TRANSITIONS,
      `stage ${run.stage.id} of job ${this.#options.jobId}`,
      run.state,
      to,
    );
  }

  /** New stages, and those that have grown. */
  #plan(stages: readonly Stage[]): void {
    const { shuffles, datasets } = this.#options;
    for (const stage of stages) {
      const known = this.#runs.get(stage.id);
      const run = known ?? newStageRun(stage, shuffles, datasets);
      if (!known && run.kept) run.kept.users++;
      run.stage = stage;
      run.seen = -1;
      this.#runs.set(stage.id, run);
      this.#keepEmpty(run, stage.known);
    }
  }

  /** What was held of a persisted dataset, and is not any more, gets its tasks now. */
  #refresh(run: StageRun): void {
    const unplanned = refresh(run);
    if (run.state === 'SUCCEEDED' && run.missing.size > 0) this.move(run, 'WAITING');
    if (unplanned.length > 0 && run.stage.kind === 'map')
      this.#plan(this.#options.grow(run.stage.stored, unplanned));
  }

  #keepEmpty({ stage, outputs, kept }: StageRun, partitions: Iterable<number>): void {
    for (const partition of partitions) {
      if (stage.kind === 'map') outputs.addEmpty(partition);
      kept?.claims.delete(partition);
      if (stage.kind === 'map') continue;
      if (stage.emptyResult !== undefined) this.results.set(partition, stage.emptyResult);
    }
  }
}
