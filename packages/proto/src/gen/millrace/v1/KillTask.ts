// Original file: protos/executor.proto

import type { TaskKey as _millrace_v1_TaskKey, TaskKey__Output as _millrace_v1_TaskKey__Output } from '../../millrace/v1/TaskKey.ts';

export interface KillTask {
  'key'?: (_millrace_v1_TaskKey | null);
  'reason'?: (string);
  'onlyWaiting'?: (boolean);
}

export interface KillTask__Output {
  'key': (_millrace_v1_TaskKey__Output | null);
  'reason': (string);
  'onlyWaiting': (boolean);
}
