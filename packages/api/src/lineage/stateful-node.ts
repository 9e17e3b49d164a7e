import type { ShippedFunction } from '../shipped-function.ts';
import type { PartitionerCall } from './partitioner-call.ts';
import type { RddNode } from './rdd-node.ts';

/**
 * Rows that a stateful operator makes of one batch, from its parent's and from the state before the batch. Its map tasks leave them in bucket 0, and
 * all rows of the state in bucket 1 when `snapshots` asks for them; what they changed travels in their results, and is the state when the batch is
 * committed. Rows of the parent are where `partitioner` wants their keys. update: [key, values]; map: [key, value]; window: [key, [values
 * of part 0, values of part 1 …]]; with `initial`: [key, [initial states, values]].
 */
export interface StatefulNode {
  readonly kind: 'stateful';
  readonly parent: RddNode;
  readonly call: StateCall;
  readonly place: string;
}

/** All rows [key, state] of the state as it is after the batch. */
export interface StateSnapshotsNode {
  readonly kind: 'stateSnapshots';
  readonly of: StatefulNode;
}

export interface StateCall {
  /** Finds the state. */
  readonly name: string;
  readonly mode: 'update' | 'map' | 'window';
  /** State of another shape is none. */
  readonly shape: string;
  readonly partitioner: Extract<PartitionerCall, { kind: 'hash' | 'custom' }>;
  /** See `stateLayout`. */
  readonly layout: string;
  /** The function first; then what there is of inverse, migrate. */
  readonly functions: ReadonlyArray<{
    readonly role: 'function' | 'inverse' | 'migrate';
    readonly function: ShippedFunction;
  }>;
  readonly valueVersion: number;
  readonly batchTime: number;
  readonly timeoutMs?: number;
  readonly snapshots: boolean;
  readonly initial: boolean;
  /** Of mode window: how many parts of a row are of values that left. */
  readonly left?: number;
  /** What the state is before the batch; undefined: there is none. */
  readonly kept: KeptState | undefined;
}

/** State as some committed batch left it. */
export interface KeptState {
  /** Of the last batch that its operator ran in. */
  readonly batchTime: number;
  readonly shape: string;
  /** See `stateLayout`. */
  readonly layout: string;
  readonly partitions: number;
  readonly valueVersion: number;
  /** By task partition; undefined: it has no keys. */
  readonly heads: ReadonlyArray<StateHead | undefined>;
}

/** Where the newest section of a partition's state is. */
export interface StateHead {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly version: string;
  /** How many keys the state has. */
  readonly keys: number;
  /** Batch time of the oldest touch, when keys time out and there are any. */
  readonly oldest?: number;
}

/**
 * Says how keys are partitioned: state of another layout has to be partitioned again. A partitioner of the same text may call what is another
 * function in another program.
 */
export function stateLayout(partitioner: StateCall['partitioner'], program: string): string {
  const { kind, partitions } = partitioner;
  if (kind === 'hash') return `hash/${partitions}`;
  return `custom/${partitions}/${partitioner.function.hash}/${program}`;
}
