import type {
  ActionCall,
  KafkaSourceInfo,
  MergeKind,
  OperatorCall,
  ShuffleNode,
} from '@millrace/api/internal';
import type { Brand, TransitionTable } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { TaskPreference } from '../../task-backend.ts';

export type StageId = Brand<number, 'StageId'>;

/** A chain of narrow operators over one source: what a task runs, fused. */
export interface Pipeline {
  readonly source: PipelineSource;
  readonly operators: readonly OperatorCall[];
}

export type PipelineSource =
  | { readonly kind: 'kafka'; readonly info: KafkaSourceInfo }
  | { readonly kind: 'rows' }
  /** What map tasks left on executors. */
  | { readonly kind: 'shuffle' }
  /** What several chains bring, in one task. */
  | {
      readonly kind: 'merge';
      readonly how: MergeKind;
      readonly children: readonly Pipeline[];
      readonly place: string;
    };

/** `Shuffle` names the map stage that a task reads. */
export type TaskInput<Shuffle = StageId> =
  | { readonly kind: 'range'; readonly range: OffsetRange }
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] }
  | { readonly kind: 'shuffle'; readonly from: Shuffle; readonly bucket: number }
  /** One input a child of the merge. */
  | { readonly kind: 'merge'; readonly inputs: ReadonlyArray<TaskInput<Shuffle>> };

export interface StageTask {
  /** Task partition: index in the dataset. */
  readonly partition: number;
  /** Index in the stage's pipelines. */
  readonly pipeline: number;
  readonly input: TaskInput;
  readonly preference: TaskPreference;
}

interface StageBody {
  readonly id: StageId;
  /** Map stages whose output its tasks read. */
  readonly dependencies: readonly StageId[];
  readonly pipelines: readonly Pipeline[];
  /** Ranges below the dataset, by task partition of their sources: what TaskContext shows. */
  readonly ranges: readonly OffsetRange[];
  readonly tasks: readonly StageTask[];
  /** Task partitions that need no task, since nothing can come of them: their result is `emptyResult`. */
  readonly known: ReadonlySet<number>;
  /** Result of a task without rows; undefined: it has to run all the same. */
  readonly emptyResult: Uint8Array | undefined;
}

/** The last stage of a job: ends in its action. */
export interface ResultStage extends StageBody {
  readonly kind: 'result';
  readonly action: ActionCall;
}

/** Its tasks leave their rows on their executors, in buckets that other stages read. Task partitions are 0 … n − 1. */
export interface MapStage extends StageBody {
  readonly kind: 'map';
  readonly shuffle: ShuffleNode;
}

/** Tasks that need no shuffle between them. */
export type Stage = ResultStage | MapStage;

export type StageState = 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export const STAGE_TRANSITIONS: TransitionTable<StageState> = {
  WAITING: ['RUNNING', 'FAILED', 'CANCELLED'],
  // Back to waiting: what it read is gone, or some of its output.
  RUNNING: ['SUCCEEDED', 'WAITING', 'FAILED', 'CANCELLED'],
  // An executor is gone with some of its output.
  SUCCEEDED: ['WAITING'],
  FAILED: [],
  CANCELLED: [],
};
