// Original file: protos/common.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface FetchFailure {
  'error'?: (_millrace_v1_ErrorInfo | null);
  'blockId'?: (string);
  'executorId'?: (string);
}

export interface FetchFailure__Output {
  'error': (_millrace_v1_ErrorInfo__Output | null);
  'blockId': (string);
  'executorId': (string);
}
