import type { JobOptions } from '@millrace/api/internal';
import type { StageKey, TaskSet } from '../../task-backend.ts';
import type { StateKeeper } from '../state/state-keeper.ts';
import type { JobRun, StageLaunch } from './job-run.ts';
import { encodeStageTasks } from './stage-encoder.ts';
import { preferenceAtLaunch } from './task-preference.ts';

/** What all task sets of an application have in common. */
export interface TaskSetLimits {
  readonly programHash: string;
  /** Absent: there is no keyed state. */
  readonly states?: StateKeeper | undefined;
  readonly job: Pick<
    JobOptions,
    'batchInterval' | 'taskAttemptsMax' | 'taskTimeout' | 'kafkaTimeout' | 'localityWait'
  >;
}

/** A task set, and what must be stored before it is submitted. */
export interface MadeTaskSet {
  readonly set: TaskSet;
  /** Snapshots by hash. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly broadcasts: readonly string[];
}

const LOCALITY_WAIT_MS_MAX = 3_000;
/** A slot that does not hold a partition's state reads it first, at some 2 million keys a second: that is worth waiting for. */
const STATE_WAIT_MS = 500;

/** Encodes what is to run. Its map stages must have succeeded: the tasks name the blocks that they read. */
export function makeTaskSet(
  { stage, tasks, directory, firstAttempt }: StageLaunch,
  key: StageKey,
  run: Pick<JobRun, 'blocks' | 'block'>,
  { programHash, job, states }: TaskSetLimits,
): MadeTaskSet {
  const blockOf: JobRun['block'] = (from, mapPartition, bucket) => run.block(from, mapPartition, bucket);
  const placed = tasks.map((task) => ({ ...task, preference: preferenceAtLaunch(stage, task, blockOf) }));
  const encoded = encodeStageTasks(stage, placed, {
    batchIntervalMs: job.batchInterval,
    directory,
    application: key.application,
    describe: states && ((call) => states.writeCall(call)),
    blocks: (from, bucket) => run.blocks(from, bucket).map((block) => ({ ...block, bucket })),
    block: (from, mapPartition, bucket) => {
      const block = run.block(from, mapPartition, bucket);
      return block && { ...block, bucket };
    },
  });
  return {
    set: {
      key,
      programHash,
      stage: encoded.stage,
      tasks: encoded.tasks,
      attemptsMax: job.taskAttemptsMax,
      taskTimeoutMs: job.taskTimeout,
      kafkaTimeoutMs: job.kafkaTimeout,
      localityWaitMs: localityWaitMs(stage, job),
      ...(firstAttempt === 0 ? {} : { firstAttempt }),
    },
    blobs: encoded.blobs,
    broadcasts: encoded.broadcasts,
  };
}

/** How long tasks of the stage wait for where they belong. */
export function localityWaitMs(
  stage: StageLaunch['stage'],
  { localityWait, batchInterval }: Pick<TaskSetLimits['job'], 'localityWait' | 'batchInterval'>,
): number {
  if (localityWait !== undefined) return localityWait;
  const wait = Math.min(LOCALITY_WAIT_MS_MAX, batchInterval / 10);
  const holdsState =
    stage.kind === 'map' && stage.stored.kind === 'stateful' && stage.stored.call.kept !== undefined;
  return holdsState ? Math.max(wait, STATE_WAIT_MS) : wait;
}
