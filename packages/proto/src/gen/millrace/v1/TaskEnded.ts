// Original file: protos/executor.proto

import type { TaskKey as _millrace_v1_TaskKey, TaskKey__Output as _millrace_v1_TaskKey__Output } from '../../millrace/v1/TaskKey.ts';
import type { ResultBlock as _millrace_v1_ResultBlock, ResultBlock__Output as _millrace_v1_ResultBlock__Output } from '../../millrace/v1/ResultBlock.ts';
import type { TaskFailure as _millrace_v1_TaskFailure, TaskFailure__Output as _millrace_v1_TaskFailure__Output } from '../../millrace/v1/TaskFailure.ts';
import type { TaskMetrics as _millrace_v1_TaskMetrics, TaskMetrics__Output as _millrace_v1_TaskMetrics__Output } from '../../millrace/v1/TaskMetrics.ts';

export interface TaskEnded {
  'key'?: (_millrace_v1_TaskKey | null);
  'slot'?: (number);
  'result'?: (Buffer | Uint8Array | string);
  'resultBlock'?: (_millrace_v1_ResultBlock | null);
  'failure'?: (_millrace_v1_TaskFailure | null);
  'metrics'?: (_millrace_v1_TaskMetrics | null);
  'outcome'?: "result"|"resultBlock"|"failure";
}

export interface TaskEnded__Output {
  'key': (_millrace_v1_TaskKey__Output | null);
  'slot': (number);
  'result'?: (Buffer);
  'resultBlock'?: (_millrace_v1_ResultBlock__Output | null);
  'failure'?: (_millrace_v1_TaskFailure__Output | null);
  'metrics': (_millrace_v1_TaskMetrics__Output | null);
  'outcome'?: "result"|"resultBlock"|"failure";
}
