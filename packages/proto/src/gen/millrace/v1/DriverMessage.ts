// Original file: protos/executor.proto

import type { Registered as _millrace_v1_Registered, Registered__Output as _millrace_v1_Registered__Output } from '../../millrace/v1/Registered.ts';
import type { LaunchTasks as _millrace_v1_LaunchTasks, LaunchTasks__Output as _millrace_v1_LaunchTasks__Output } from '../../millrace/v1/LaunchTasks.ts';
import type { KillTask as _millrace_v1_KillTask, KillTask__Output as _millrace_v1_KillTask__Output } from '../../millrace/v1/KillTask.ts';
import type { DropBlocks as _millrace_v1_DropBlocks, DropBlocks__Output as _millrace_v1_DropBlocks__Output } from '../../millrace/v1/DropBlocks.ts';
import type { Drain as _millrace_v1_Drain, Drain__Output as _millrace_v1_Drain__Output } from '../../millrace/v1/Drain.ts';
import type { Refused as _millrace_v1_Refused, Refused__Output as _millrace_v1_Refused__Output } from '../../millrace/v1/Refused.ts';
import type { DropApplication as _millrace_v1_DropApplication, DropApplication__Output as _millrace_v1_DropApplication__Output } from '../../millrace/v1/DropApplication.ts';
import type { Prefetch as _millrace_v1_Prefetch, Prefetch__Output as _millrace_v1_Prefetch__Output } from '../../millrace/v1/Prefetch.ts';

export interface DriverMessage {
  'registered'?: (_millrace_v1_Registered | null);
  'launch'?: (_millrace_v1_LaunchTasks | null);
  'kill'?: (_millrace_v1_KillTask | null);
  'dropBlocks'?: (_millrace_v1_DropBlocks | null);
  'drain'?: (_millrace_v1_Drain | null);
  'refused'?: (_millrace_v1_Refused | null);
  'dropApplication'?: (_millrace_v1_DropApplication | null);
  'prefetch'?: (_millrace_v1_Prefetch | null);
  'message'?: "registered"|"launch"|"kill"|"dropBlocks"|"drain"|"refused"|"dropApplication"|"prefetch";
}

export interface DriverMessage__Output {
  'registered'?: (_millrace_v1_Registered__Output | null);
  'launch'?: (_millrace_v1_LaunchTasks__Output | null);
  'kill'?: (_millrace_v1_KillTask__Output | null);
  'dropBlocks'?: (_millrace_v1_DropBlocks__Output | null);
  'drain'?: (_millrace_v1_Drain__Output | null);
  'refused'?: (_millrace_v1_Refused__Output | null);
  'dropApplication'?: (_millrace_v1_DropApplication__Output | null);
  'prefetch'?: (_millrace_v1_Prefetch__Output | null);
  'message'?: "registered"|"launch"|"kill"|"dropBlocks"|"drain"|"refused"|"dropApplication"|"prefetch";
}
