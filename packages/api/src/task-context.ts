import { AsyncLocalStorage } from 'node:async_hooks';
import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';

/** What one task added, by accumulator: applied once, when the task succeeds. */
export type AccumulatorUpdates = Map<string, unknown>;

/** What a running task knows of itself. */
export interface TaskContextData {
  readonly application: string;
  readonly epoch: number;
  /** ms: the batch. */
  readonly batchTime: number;
  /** Counts the actions of a batch, from 1. */
  readonly jobId: number;
  readonly stageId: number;
  /** Task partition: the index in the RDD. */
  readonly partitionId: number;
  /** From 0. */
  readonly attemptNumber: number;
  readonly executorId: string;
  /** Aborted when the task is to end early (killed, timed out, the application stops): for what waits outside of Millrace. */
  readonly signal: AbortSignal;
  /** What this task reads, when its source is Kafka. */
  readonly offsetRange?: OffsetRange;
  /** All ranges of the batch below this stage. */
  readonly offsetRanges: readonly OffsetRange[];
  readonly accumulators: AccumulatorUpdates;
  /** See `onCompletion`. */
  readonly completions: CompletionListener[];
}

/** `error`: what the task failed with. */
export type CompletionListener = (error: unknown) => void | Promise<void>;

export interface PublicTaskContext extends Omit<TaskContextData, 'accumulators' | 'completions'> {
  /**
   * Calls `listener` when the task is over, with its error or undefined; the last one first. The task waits for it. When a task
   * had succeeded and a listener throws, it fails. A slot that is killed calls nothing.
   */
  readonly onCompletion: (listener: CompletionListener) => void;
}

const storage = new AsyncLocalStorage<TaskContextData>();

/** Runs `work` as a task: `TaskContext.get()` answers in it and in what it awaits. Then its completion listeners. */
export function runWithTaskContext<T>(data: TaskContextData, work: () => Promise<T>): Promise<T> {
  return storage.run(data, async () => {
    let result: T;
    try {
      result = await work();
    } catch (error) {
      // The first error counts.
      await complete(data, error).catch(() => undefined);
      throw error;
    }
    await complete(data, undefined);
    return result;
  });
}

/** Calls every listener, also those that listeners add. @throws what the first of them threw. */
async function complete({ completions }: TaskContextData, error: unknown): Promise<void> {
  const thrown: unknown[] = [];
  for (let listener = completions.pop(); listener !== undefined; listener = completions.pop()) {
    try {
      await listener(error);
    } catch (failure) {
      thrown.push(failure);
    }
  }
  if (thrown.length > 0) throw thrown[0];
}

export function currentTask(): TaskContextData | undefined {
  return storage.getStore();
}

/** What lambdas see of their task; made when one asks. */
const views = new WeakMap<TaskContextData, PublicTaskContext>();

function viewOf(task: TaskContextData): PublicTaskContext {
  const known = views.get(task);
  if (known) return known;
  const { accumulators: _, completions, ...facts } = task;
  const view = Object.freeze({
    ...facts,
    onCompletion: (listener: CompletionListener) => void completions.push(listener),
  });
  views.set(task, view);
  return view;
}

export const TaskContext = {
  /**
   * The task that runs the calling lambda.
   * @throws MillraceError BAD_REQUEST outside of a task (on the driver).
   */
  get(): PublicTaskContext {
    const task = storage.getStore();
    if (task) return viewOf(task);
    throw new MillraceError('BAD_REQUEST', 'TaskContext.get() was called on the driver', {
      remedy: 'Call it in a lambda that runs on executors; TaskContext.current() is undefined elsewhere.',
    });
  },
  /** The task that runs the calling lambda; undefined on the driver. */
  current(): PublicTaskContext | undefined {
    const task = storage.getStore();
    return task && viewOf(task);
  },
} as const;
