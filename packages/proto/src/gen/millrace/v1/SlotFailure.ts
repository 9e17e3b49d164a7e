// Original file: protos/common.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface SlotFailure {
  'error'?: (_millrace_v1_ErrorInfo | null);
  'exitCode'?: (number);
  'signal'?: (string);
}

export interface SlotFailure__Output {
  'error': (_millrace_v1_ErrorInfo__Output | null);
  'exitCode': (number);
  'signal': (string);
}
