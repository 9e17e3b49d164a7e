import type { StateWriteCall } from '@millrace/proto/task';

/** Of one partition of mapWithState, without initial state; a test changes what it is about. */
export const STATE_CALL: StateWriteCall = {
  directory: 'd',
  application: 'a',
  operator: 'o',
  mode: 'map',
  layout: 'hash/1',
  partitions: 1,
  valueVersion: 0,
  snapshots: false,
  initial: false,
  bases: [],
  relayout: false,
  snapshotOf: [],
  inlineBytesMax: 0,
  closures: ['function'],
};
