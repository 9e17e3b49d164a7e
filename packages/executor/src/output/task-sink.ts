import type { TaskContextData } from '@millrace/api/internal';
import type { ActionMessage } from '@millrace/proto/task';

/** Where one task writes its rows. The generated loop calls what its action's fragment names (`write`, …), then looks at `isFull`. */
export interface TaskSink {
  /** The loop pauses behind the row that made it so, until `ready()` has resolved. */
  readonly isFull: boolean;
  /** @throws what a write in the background failed with. */
  ready(): Promise<void>;
  /** All is out; the task's result. @throws as ready. */
  finish(): Promise<unknown>;
  /** The task has failed, or was killed: nothing more is written, and what was is not counted. Never throws. */
  abort(): Promise<void>;
}

export interface SinkRequest {
  readonly action: ActionMessage;
  readonly functions: readonly Function[];
  readonly task: TaskContextData;
  readonly signal: AbortSignal;
}

export type OpenSink = (request: SinkRequest) => TaskSink;
