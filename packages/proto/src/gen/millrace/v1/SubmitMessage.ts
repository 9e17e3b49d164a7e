// Original file: protos/submission.proto

import type { SubmitHeader as _millrace_v1_SubmitHeader, SubmitHeader__Output as _millrace_v1_SubmitHeader__Output } from '../../millrace/v1/SubmitHeader.ts';

export interface SubmitMessage {
  'header'?: (_millrace_v1_SubmitHeader | null);
  'bundle'?: (Buffer | Uint8Array | string);
  'message'?: "header"|"bundle";
}

export interface SubmitMessage__Output {
  'header'?: (_millrace_v1_SubmitHeader__Output | null);
  'bundle'?: (Buffer);
  'message'?: "header"|"bundle";
}
