import type { BatchShuffles } from './batch-shuffles.ts';
import { MapOutputs } from './map-outputs.ts';
import type { Stage, StageState } from './stage.ts';

/** A stage of a job that runs. */
export interface StageRun {
  readonly stage: Stage;
  state: StageState;
  /** Of a map stage: what is there. */
  readonly outputs: MapOutputs;
  /** Task partitions without a result. */
  readonly missing: Set<number>;
  /** Those of the set that runs. */
  running: Set<number>;
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

/** What an earlier job of the batch left of the same shuffle is there already. */
export function newStageRun(stage: Stage, shuffles: Pick<BatchShuffles, 'of'>): StageRun {
  const kept = stage.kind === 'map' ? shuffles.of(stage.shuffle) : undefined;
  const outputs = kept?.outputs.copy() ?? new MapOutputs();
  const partitions = stage.tasks.map(({ partition }) => partition);
  const missing = new Set(partitions.filter((partition) => !outputs.has(partition)));
  return {
    stage,
    state: kept && missing.size === 0 ? 'SUCCEEDED' : 'WAITING',
    outputs,
    missing,
    running: new Set(),
    counted: new Set(kept?.counted),
    firstAttempt: 0,
    nextAttempt: 0,
    toldAt: 0,
    fetchFailures: 0,
  };
}
