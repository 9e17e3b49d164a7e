// Original file: protos/submission.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface StateChanged {
  'state'?: (string);
  'error'?: (_millrace_v1_ErrorInfo | null);
}

export interface StateChanged__Output {
  'state': (string);
  'error': (_millrace_v1_ErrorInfo__Output | null);
}
