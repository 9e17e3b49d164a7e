// Original file: protos/common.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface UserFailure {
  'error'?: (_millrace_v1_ErrorInfo | null);
}

export interface UserFailure__Output {
  'error': (_millrace_v1_ErrorInfo__Output | null);
}
