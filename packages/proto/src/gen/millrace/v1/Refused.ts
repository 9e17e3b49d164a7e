// Original file: protos/executor.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface Refused {
  'error'?: (_millrace_v1_ErrorInfo | null);
}

export interface Refused__Output {
  'error': (_millrace_v1_ErrorInfo__Output | null);
}
