// Original file: protos/executor.proto

import type { Register as _millrace_v1_Register, Register__Output as _millrace_v1_Register__Output } from '../../millrace/v1/Register.ts';
import type { TaskEnded as _millrace_v1_TaskEnded, TaskEnded__Output as _millrace_v1_TaskEnded__Output } from '../../millrace/v1/TaskEnded.ts';
import type { SlotsChanged as _millrace_v1_SlotsChanged, SlotsChanged__Output as _millrace_v1_SlotsChanged__Output } from '../../millrace/v1/SlotsChanged.ts';

export interface ExecutorMessage {
  'register'?: (_millrace_v1_Register | null);
  'taskEnded'?: (_millrace_v1_TaskEnded | null);
  'slotsChanged'?: (_millrace_v1_SlotsChanged | null);
  'message'?: "register"|"taskEnded"|"slotsChanged";
}

export interface ExecutorMessage__Output {
  'register'?: (_millrace_v1_Register__Output | null);
  'taskEnded'?: (_millrace_v1_TaskEnded__Output | null);
  'slotsChanged'?: (_millrace_v1_SlotsChanged__Output | null);
  'message'?: "register"|"taskEnded"|"slotsChanged";
}
