// Original file: protos/executor.proto

import type { TaskKey as _millrace_v1_TaskKey, TaskKey__Output as _millrace_v1_TaskKey__Output } from '../../millrace/v1/TaskKey.ts';

export interface LaunchTask {
  'key'?: (_millrace_v1_TaskKey | null);
  'slot'?: (number);
  'programHash'?: (string);
  'stage'?: (Buffer | Uint8Array | string);
  'task'?: (Buffer | Uint8Array | string);
  'timeoutMs'?: (number);
  'describes'?: (string);
}

export interface LaunchTask__Output {
  'key': (_millrace_v1_TaskKey__Output | null);
  'slot': (number);
  'programHash': (string);
  'stage': (Buffer);
  'task': (Buffer);
  'timeoutMs': (number);
  'describes': (string);
}
