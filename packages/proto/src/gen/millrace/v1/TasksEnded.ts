// Original file: protos/executor.proto

import type { TaskEnded as _millrace_v1_TaskEnded, TaskEnded__Output as _millrace_v1_TaskEnded__Output } from '../../millrace/v1/TaskEnded.ts';

export interface TasksEnded {
  'tasks'?: (_millrace_v1_TaskEnded)[];
}

export interface TasksEnded__Output {
  'tasks': (_millrace_v1_TaskEnded__Output)[];
}
