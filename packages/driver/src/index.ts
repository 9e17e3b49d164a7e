export {
  type CheckpointStore,
  checkpointLocation,
  openCheckpointStore,
} from './application/checkpoint/checkpoint-store.ts';
export { checkLogDirectory, checkStoredLog } from './application/log/check-log.ts';
export type { CheckedPartition, CheckedState, LogCheck, LogFinding } from './application/log/log-check.ts';
export {
  type StoredOperator,
  type StoredPartition,
  type StoredState,
  withStoredState,
} from './application/state/stored-state.ts';
export type { ApplicationEvent, BatchSummary } from './application-events.ts';
export { type Driver, type DriverDeps, type StopDriverOptions, startDriver } from './driver.ts';
export { DRIVER_OPTIONS, type DriverOptions, type DriverOptionsGiven } from './driver-options.ts';
export type {
  StageKey,
  TaskBackend,
  TaskDescription,
  TaskEvent,
  TaskMetricsRecord,
  TaskPreference,
  TaskSet,
} from './task-backend.ts';
