import type { Rows } from '../rows.ts';
import type { TaskContextData } from '../task-context.ts';
import type { ActionKind } from './rdd-node.ts';

/** What an action's loop fragment knows. All members are JavaScript source texts. */
export interface ActionFragmentContext {
  readonly row: string;
  readonly fn: (j?: number) => string;
  readonly number: (j: number) => string;
}

/**
 * An action: what a task computes from the rows of its partition.
 * `state` (one statement list) declares the variables, `each` handles a row, `end` is the expression of the result.
 * Helpers in scope: `rt.detach(row)` copies a row, or a text, so that it outlives the fetch, `rt.zero()` a fresh copy of the action's value,
 * `rt.canonicalKey(value)`, `rt.ordered(n, compare)` a bounded ordered buffer; `break rows` ends the partition early after `done = true`.
 */
export interface LoopAction {
  readonly kind: ActionKind;
  readonly form: 'loop';
  readonly state: (context: Omit<ActionFragmentContext, 'row'>) => string;
  readonly each: (context: ActionFragmentContext) => string;
  readonly end: string;
  /** Result of a partition without rows; `zero` is the action's value. */
  readonly empty: (zero: unknown) => unknown;
}

/** An action that takes the rows of a partition as a whole; its result is undefined. */
export interface PartitionAction {
  readonly kind: ActionKind;
  readonly form: 'partition';
  readonly run: (rows: Rows<unknown>, call: PartitionActionCall) => unknown;
  /** It need not run for a partition without rows. */
  readonly empty?: () => undefined;
}

export interface PartitionActionCall {
  readonly functions: readonly Function[];
  /** The action's value. */
  readonly value: Uint8Array | undefined;
  readonly task: TaskContextData;
}

/**
 * An action that writes the rows of a partition outside of the engine, in the fused loop: `each` hands a row to `sink`, which the executor opens
 * (executor/src/output). The loop pauses behind a row that made the sink full. It also runs for a partition without rows, unless `empty` is its result.
 */
export interface SinkAction {
  readonly kind: ActionKind;
  readonly form: 'sink';
  readonly each: (context: ActionFragmentContext) => string;
  readonly empty?: () => unknown;
}

/** An action that leaves the rows of a partition in buckets: a map task's. */
export interface ShuffleAction {
  readonly kind: ActionKind;
  readonly form: 'shuffle';
}

export type ActionDefinition = LoopAction | PartitionAction | SinkAction | ShuffleAction;
