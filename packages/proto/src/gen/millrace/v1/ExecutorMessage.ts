// Original file: protos/executor.proto

import type { Register as _millrace_v1_Register, Register__Output as _millrace_v1_Register__Output } from '../../millrace/v1/Register.ts';
import type { TasksEnded as _millrace_v1_TasksEnded, TasksEnded__Output as _millrace_v1_TasksEnded__Output } from '../../millrace/v1/TasksEnded.ts';
import type { SlotsChanged as _millrace_v1_SlotsChanged, SlotsChanged__Output as _millrace_v1_SlotsChanged__Output } from '../../millrace/v1/SlotsChanged.ts';
import type { Left as _millrace_v1_Left, Left__Output as _millrace_v1_Left__Output } from '../../millrace/v1/Left.ts';

export interface ExecutorMessage {
  'register'?: (_millrace_v1_Register | null);
  'ended'?: (_millrace_v1_TasksEnded | null);
  'slotsChanged'?: (_millrace_v1_SlotsChanged | null);
  'left'?: (_millrace_v1_Left | null);
  'message'?: "register"|"ended"|"slotsChanged"|"left";
}

export interface ExecutorMessage__Output {
  'register'?: (_millrace_v1_Register__Output | null);
  'ended'?: (_millrace_v1_TasksEnded__Output | null);
  'slotsChanged'?: (_millrace_v1_SlotsChanged__Output | null);
  'left'?: (_millrace_v1_Left__Output | null);
  'message'?: "register"|"ended"|"slotsChanged"|"left";
}
