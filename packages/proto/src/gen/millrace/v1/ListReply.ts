// Original file: protos/submission.proto

import type { ApplicationStatus as _millrace_v1_ApplicationStatus, ApplicationStatus__Output as _millrace_v1_ApplicationStatus__Output } from '../../millrace/v1/ApplicationStatus.ts';
import type { ExecutorStatus as _millrace_v1_ExecutorStatus, ExecutorStatus__Output as _millrace_v1_ExecutorStatus__Output } from '../../millrace/v1/ExecutorStatus.ts';

export interface ListReply {
  'applications'?: (_millrace_v1_ApplicationStatus)[];
  'executors'?: (_millrace_v1_ExecutorStatus)[];
}

export interface ListReply__Output {
  'applications': (_millrace_v1_ApplicationStatus__Output)[];
  'executors': (_millrace_v1_ExecutorStatus__Output)[];
}
