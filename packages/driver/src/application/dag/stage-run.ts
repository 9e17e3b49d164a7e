import type { BatchShuffles } from './batch-shuffles.ts';
import type { KeptDataset, KeptDatasets } from './kept-datasets.ts';
import { MapOutputs } from './map-outputs.ts';
import type { Stage, StageState } from './stage.ts';

/** A stage of a job that runs. */
export interface StageRun {
  /** It may grow while the job runs. */
  stage: Stage;
  state: StageState;
  /** Of a map stage: what is there. */
  readonly outputs: MapOutputs;
  /** Of a persisted dataset: what all jobs share; `outputs` are its. */
  readonly kept: KeptDataset | undefined;
  /** `outputs.changes` when `missing` was made. */
  seen: number;
  /** Task partitions without a result. */
  readonly missing: Set<number>;
  /** Those of the set that runs. */
  running: Set<number>;
  /** Where that set writes. */
  directory: string;
  /** Task partitions that have succeeded once, whatever was lost since. */
  readonly counted: Set<number>;
  firstAttempt: number;
  /** Above all attempts that are known. */
  nextAttempt: number;
  /** When it was told where the blocks are that it reads. */
  toldAt: number;
  /** In a row. */
  fetchFailures: number;
}

/** What an earlier job left of the same dataset is there already. */
export function newStageRun(
  stage: Stage,
  shuffles: Pick<BatchShuffles, 'of'>,
  datasets: KeptDatasets,
): StageRun {
  const stored = stage.kind === 'map' ? stage.stored : undefined;
  const kept = stored?.kind === 'persisted' ? datasets.of(stored) : undefined;
  const shuffled = stored && !kept ? shuffles.of(stored) : undefined;
  const outputs = kept?.outputs ?? shuffled?.copy() ?? new MapOutputs();
  const partitions = stage.tasks.map(({ partition }) => partition);
  const missing = new Set(partitions.filter((partition) => !outputs.has(partition)));
  return {
    stage,
    state: (kept ?? shuffled) && missing.size === 0 ? 'SUCCEEDED' : 'WAITING',
    outputs,
    kept,
    seen: -1,
    missing,
    running: new Set(),
    directory: '',
    counted: stored ? datasets.counted(stored) : new Set(),
    firstAttempt: 0,
    nextAttempt: 0,
    toldAt: 0,
    fetchFailures: 0,
  };
}

/**
 * Other jobs share what is kept: they may have added to it, or found some of it lost. Returns what is missing and has no task yet.
 */
export function refresh(run: StageRun): readonly number[] {
  const { stage, kept, outputs, missing } = run;
  if (!kept || stage.kind !== 'map' || run.state === 'RUNNING' || run.seen === outputs.changes) return [];
  run.seen = outputs.changes;
  missing.clear();
  for (const partition of stage.wanted) if (!outputs.has(partition)) missing.add(partition);
  if (missing.size === 0) return [];
  const planned = new Set(stage.tasks.map(({ partition }) => partition));
  return [...missing].filter((partition) => !planned.has(partition));
}

/** Takes what is missing of a persisted dataset and no other job is at. Whether there is any. */
export function claim(job: object, run: StageRun): boolean {
  const { kept, missing } = run;
  for (const partition of missing) if (!kept?.claims.has(partition)) kept?.claims.set(partition, job);
  return claimedBy(job, run).length > 0;
}

/** What is missing, but for what other jobs are at. */
export function claimedBy(job: object, { kept, missing }: StageRun): readonly number[] {
  const all = [...missing];
  return kept ? all.filter((partition) => kept.claims.get(partition) === job) : all;
}
