// Original file: protos/submission.proto

import type { Accepted as _millrace_v1_Accepted, Accepted__Output as _millrace_v1_Accepted__Output } from '../../millrace/v1/Accepted.ts';
import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface SubmitReply {
  'accepted'?: (_millrace_v1_Accepted | null);
  'error'?: (_millrace_v1_ErrorInfo | null);
  'outcome'?: "accepted"|"error";
}

export interface SubmitReply__Output {
  'accepted'?: (_millrace_v1_Accepted__Output | null);
  'error'?: (_millrace_v1_ErrorInfo__Output | null);
  'outcome'?: "accepted"|"error";
}
