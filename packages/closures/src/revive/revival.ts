import type { SnapshotNode } from '../snapshot/snapshot-reader.ts';
import type { BuiltValues } from './shared-classes.ts';

/** One function that was revived: its snapshot, and the value of each node as far as one was made. */
export interface Revival {
  readonly nodes: readonly SnapshotNode[];
  readonly built: BuiltValues;
}
