// Original file: protos/common.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface InternalFailure {
  'error'?: (_millrace_v1_ErrorInfo | null);
}

export interface InternalFailure__Output {
  'error': (_millrace_v1_ErrorInfo__Output | null);
}
