import type { ActionCall, KafkaSourceInfo, OperatorCall } from '@millrace/api/internal';
import type { Brand, TransitionTable } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type { TaskPreference } from '../../task-backend.ts';

export type StageId = Brand<number, 'StageId'>;

/** A chain of narrow operators over one source: what a task runs, fused. */
export interface Pipeline {
  readonly source: { readonly kind: 'kafka'; readonly info: KafkaSourceInfo } | { readonly kind: 'rows' };
  readonly operators: readonly OperatorCall[];
}

export type TaskInput =
  | { readonly kind: 'range'; readonly range: OffsetRange }
  | { readonly kind: 'rows'; readonly rows: readonly unknown[] };

export interface StageTask {
  /** Task partition: index in the dataset. */
  readonly partition: number;
  /** Index in the stage's pipelines. */
  readonly pipeline: number;
  readonly input: TaskInput;
  readonly preference: TaskPreference;
}

/**
 * Tasks that need no shuffle between them. A result stage ends in an action. (Shuffles will add a kind that ends in map
 * output; the scheduler's loop over ready stages is made for them.)
 */
export interface Stage {
  readonly kind: 'result';
  readonly id: StageId;
  /** Stages whose output it reads. */
  readonly dependencies: readonly StageId[];
  readonly pipelines: readonly Pipeline[];
  readonly action: ActionCall;
  /** Ranges below the dataset, by task partition of their sources: what TaskContext shows. */
  readonly ranges: readonly OffsetRange[];
  readonly tasks: readonly StageTask[];
  /** Results that need no task: partitions without records. */
  readonly known: ReadonlyMap<number, Uint8Array>;
}

export type StageState = 'WAITING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

export const STAGE_TRANSITIONS: TransitionTable<StageState> = {
  WAITING: ['RUNNING', 'CANCELLED'],
  RUNNING: ['SUCCEEDED', 'FAILED', 'CANCELLED'],
  SUCCEEDED: [],
  FAILED: [],
  CANCELLED: [],
};
