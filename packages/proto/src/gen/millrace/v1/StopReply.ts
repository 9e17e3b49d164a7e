// Original file: protos/submission.proto

import type { ApplicationStatus as _millrace_v1_ApplicationStatus, ApplicationStatus__Output as _millrace_v1_ApplicationStatus__Output } from '../../millrace/v1/ApplicationStatus.ts';
import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface StopReply {
  'status'?: (_millrace_v1_ApplicationStatus | null);
  'error'?: (_millrace_v1_ErrorInfo | null);
  'outcome'?: "status"|"error";
}

export interface StopReply__Output {
  'status'?: (_millrace_v1_ApplicationStatus__Output | null);
  'error'?: (_millrace_v1_ErrorInfo__Output | null);
  'outcome'?: "status"|"error";
}
