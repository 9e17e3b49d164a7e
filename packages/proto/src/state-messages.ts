import type { StateSectionRef } from './state-section.ts';

/** How a stateful operator makes its rows. */
export type StateMode =
  /** updateStateByKey: rows [key, values]; all keys are visited. */
  | 'update'
  /** mapWithState: rows [key, value]; keys that are touched, and those that time out. */
  | 'map'
  /** A reduce over a window with its inverse: rows [key, [values that left …, values that entered …]]. */
  | 'window';

/** `value` of a stateWrite action, v8-serialized: all that its tasks need to know of the state. */
export interface StateWriteCall {
  /** Where the rows go: application/epoch/batch/job/stage. */
  readonly directory: string;
  readonly application: string;
  readonly operator: string;
  readonly mode: StateMode;
  readonly layout: string;
  /** Task partitions of the layout. */
  readonly partitions: number;
  readonly valueVersion: number;
  /** Of the kept state, when it is another one: its values go through `migrate`. */
  readonly migrateFrom?: number;
  /** Idle keys go after so much. */
  readonly timeoutMs?: number;
  /** Also all rows of the state, to bucket 1. */
  readonly snapshots: boolean;
  /** Rows are [key, [initial states, values]]. */
  readonly initial: boolean;
  /** Of mode window: how many of the parts of a row are values that left. */
  readonly left?: number;
  /** What the state is before this batch: by task partition; of another layout: all of it, for every task. */
  readonly bases: readonly (StateSectionRef | undefined)[];
  readonly relayout: boolean;
  /** Task partitions that write all of their state. */
  readonly snapshotOf: readonly number[];
  /** What may travel in the result, of a task. */
  readonly inlineBytesMax: number;
  /** Which of the closures there are: the function first, then these. */
  readonly closures: readonly StateClosure[];
}

export type StateClosure = 'function' | 'inverse' | 'filter' | 'migrate' | 'partitionOf';
