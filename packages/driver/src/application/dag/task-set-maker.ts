import type { JobOptions } from '@millrace/api/internal';
import { shuffleDirectory } from '../../shuffle-names.ts';
import type { StageKey, TaskSet } from '../../task-backend.ts';
import type { JobRun, StageLaunch } from './job-run.ts';
import { encodeStageTasks } from './stage-encoder.ts';

/** What all task sets of an application have in common. */
export interface TaskSetLimits {
  readonly programHash: string;
  readonly job: Pick<JobOptions, 'batchInterval' | 'taskAttemptsMax' | 'taskTimeout' | 'localityWait'>;
}

/** A task set, and what must be stored before it is submitted. */
export interface MadeTaskSet {
  readonly set: TaskSet;
  /** Snapshots by hash. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly broadcasts: readonly string[];
}

const LOCALITY_WAIT_MS_MAX = 3_000;

/** Encodes what is to run. Its map stages must have succeeded: the tasks name the blocks that they read. */
export function makeTaskSet(
  { stage, tasks, firstAttempt }: StageLaunch,
  key: StageKey,
  run: Pick<JobRun, 'blocks'>,
  { programHash, job }: TaskSetLimits,
): MadeTaskSet {
  const encoded = encodeStageTasks(stage, tasks, {
    batchIntervalMs: job.batchInterval,
    directory: shuffleDirectory(key),
    blocks: (from, bucket) => run.blocks(from, bucket).map((block) => ({ ...block, bucket })),
  });
  return {
    set: {
      key,
      programHash,
      stage: encoded.stage,
      tasks: encoded.tasks,
      attemptsMax: job.taskAttemptsMax,
      taskTimeoutMs: job.taskTimeout,
      localityWaitMs: job.localityWait ?? Math.min(LOCALITY_WAIT_MS_MAX, job.batchInterval / 10),
      ...(firstAttempt === 0 ? {} : { firstAttempt }),
    },
    blobs: encoded.blobs,
    broadcasts: encoded.broadcasts,
  };
}
