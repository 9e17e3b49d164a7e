// Original file: protos/submission.proto

import type { OffsetsReport as _millrace_v1_OffsetsReport, OffsetsReport__Output as _millrace_v1_OffsetsReport__Output } from '../../millrace/v1/OffsetsReport.ts';
import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface OffsetsReply {
  'report'?: (_millrace_v1_OffsetsReport | null);
  'error'?: (_millrace_v1_ErrorInfo | null);
  'outcome'?: "report"|"error";
}

export interface OffsetsReply__Output {
  'report'?: (_millrace_v1_OffsetsReport__Output | null);
  'error'?: (_millrace_v1_ErrorInfo__Output | null);
  'outcome'?: "report"|"error";
}
