import type { OffsetRange } from '@millrace/kafka';
import type { TaskKey } from '@millrace/proto';
import type { PipelineMessage, StageMessage, TaskMessage } from '@millrace/proto/task';

/** One attempt as it arrives in the slot. */
export interface TaskRequest {
  readonly key: TaskKey;
  readonly programHash: string;
  readonly programDir: string;
  /** Absent: that of the request before. */
  readonly stage?: Uint8Array;
  readonly task: Uint8Array;
}

/** What a request says. */
export interface Work {
  readonly stage: StageMessage;
  readonly task: TaskMessage;
  readonly pipeline: PipelineMessage;
  readonly range: OffsetRange | undefined;
}

/** A request that was read; see TaskRunner.prepare. */
export interface PreparedTask {
  readonly request: TaskRequest;
  readonly work?: Work;
  readonly failure?: unknown;
}
