export { type Executor, type ExecutorDependencies, type StopOptions, startExecutor } from './executor.ts';
export { EXECUTOR_OPTIONS, type ExecutorOptions, type ResolvedExecutorOptions } from './options.ts';
export type { PipelineRequest } from './pipeline/index.ts';
export type { Slot, SlotEnd, SlotHealth, SlotMetrics, SlotOutcome, SlotTask } from './slots/slot.ts';
export { SlotPool, type SlotPoolOptions } from './slots/slot-pool.ts';
export type { TaskEngine } from './task/engine-ports.ts';
export { taskEngine } from './task/task-engine.ts';
export { type TaskRequest, TaskRunner, type TaskRunnerOptions } from './task/task-runner.ts';
