import type {
  ActionCall,
  KafkaSourceInfo,
  MergeKind,
  OperatorCall,
  StoredNode,
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
  /** Rows [key, value] that map tasks left on executors. */
  | { readonly kind: 'shuffle' }
  /** Rows as map tasks left them on executors. */
  | { readonly kind: 'stored' }
  /** What several chains bring, in one task. */
  | {
      readonly kind: 'merge';
      readonly how: MergeKind;
      readonly children: readonly Pipeline[];
      readonly place: string;
    };

/** `From` names the map stage that a task reads. */
export type TaskInput<From = StageId> =
  | { readonly kind: 'range'; readonly range: OffsetRange }
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] }
  /** A bucket of all map tasks. */
  | { readonly kind: 'shuffle'; readonly from: From; readonly bucket: number }
  /** A bucket of one map task. */
  | { readonly kind: 'stored'; readonly from: From; readonly mapPartition: number; readonly bucket: number }
  /** `children`: which child of the merge reads each input; absent: one each, in order. */
  | {
      readonly kind: 'merge';
      readonly inputs: ReadonlyArray<TaskInput<From>>;
      readonly children?: readonly number[];
    };

/** The pipeline that reads this input of a merge. */
export function childOf(
  source: Extract<PipelineSource, { kind: 'merge' }>,
  { children }: Pick<Extract<TaskInput<unknown>, { kind: 'merge' }>, 'children'>,
  index: number,
): Pipeline | undefined {
  return source.children[children?.[index] ?? index];
}

export interface StageTask {
  /** Task partition: index in the dataset. */
  readonly partition: number;
  /** Index in the stage's pipelines. */
  readonly pipeline: number;
  readonly input: TaskInput;
  readonly preference: TaskPreference;
  /** It has something to do also without rows. */
  readonly always?: true;
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
  readonly stored: StoredNode;
  /** Map partitions that are read: of a persisted dataset perhaps not all. Those without a task were held when the job was planned. */
  readonly wanted: ReadonlySet<number>;
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
