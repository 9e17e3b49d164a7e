import { AsyncLocalStorage } from 'node:async_hooks';
import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';

/** What one task added: applied once, when the task succeeds. By accumulator: a sum, or the values in order. */
export type AccumulatorUpdates = Map<string, number | unknown[]>;

/** What a running task knows of itself. */
export interface TaskContextData {
  readonly application: string;
  readonly epoch: number;
  /** ms: the batch. */
  readonly batchTime: number;
  readonly stageId: number;
  /** Task partition: the index in the RDD. */
  readonly partitionId: number;
  /** From 0. */
  readonly attemptNumber: number;
  readonly executorId: string;
  /** What this task reads, when its source is Kafka. */
  readonly offsetRange?: OffsetRange;
  /** All ranges of the batch below this stage. */
  readonly offsetRanges: readonly OffsetRange[];
  readonly accumulators: AccumulatorUpdates;
}

export type PublicTaskContext = Omit<TaskContextData, 'accumulators'>;

const storage = new AsyncLocalStorage<TaskContextData>();

/** Runs `work` as a task: `TaskContext.get()` answers in it and in what it awaits. */
export function runWithTaskContext<T>(data: TaskContextData, work: () => T): T {
  return storage.run(data, work);
}

export function currentTask(): TaskContextData | undefined {
  return storage.getStore();
}

export const TaskContext = {
  /**
   * The task that runs the calling lambda.
   * @throws MillraceError BAD_REQUEST outside of a task (on the driver).
   */
  get(): PublicTaskContext {
    const task = storage.getStore();
    if (task) return task;
    throw new MillraceError('BAD_REQUEST', 'TaskContext.get() was called on the driver', {
      remedy: 'Call it in a lambda that runs on executors; TaskContext.current() is undefined elsewhere.',
    });
  },
  /** The task that runs the calling lambda; undefined on the driver. */
  current(): PublicTaskContext | undefined {
    return storage.getStore();
  },
} as const;
