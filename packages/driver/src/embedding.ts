/** The parts of the driver that run an application inside another process: for @millrace/local. */
export { ApplicationEngine } from './application/application-engine.ts';
export type { ApplicationEngineOptions } from './application/application-engine-options.ts';
export { closureShipper } from './application/load-program.ts';
export { applicationLogFiles } from './application/log/log-files.ts';
export { mapError } from './application/program-errors.ts';
export { applicationStateFiles, stateDirectory } from './application/state/state-files.ts';
export type { ApplicationEvent, BatchSummary } from './application-events.ts';
export type { AttemptKey } from './cluster/scheduler-messages.ts';
export { TaskScheduler } from './cluster/task-scheduler.ts';
export type {
  BatchKey,
  ExpectedRange,
  KeptKey,
  StageKey,
  TaskBackend,
  TaskEvent,
  TaskSet,
} from './task-backend.ts';
