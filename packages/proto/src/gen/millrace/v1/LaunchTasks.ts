// Original file: protos/executor.proto

import type { LaunchTask as _millrace_v1_LaunchTask, LaunchTask__Output as _millrace_v1_LaunchTask__Output } from '../../millrace/v1/LaunchTask.ts';

export interface LaunchTasks {
  'tasks'?: (_millrace_v1_LaunchTask)[];
}

export interface LaunchTasks__Output {
  'tasks': (_millrace_v1_LaunchTask__Output)[];
}
