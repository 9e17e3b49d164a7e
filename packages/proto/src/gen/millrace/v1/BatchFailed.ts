// Original file: protos/submission.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';
import type { Long } from '@grpc/proto-loader';

export interface BatchFailed {
  'batchTime'?: (number | string | Long);
  'error'?: (_millrace_v1_ErrorInfo | null);
}

export interface BatchFailed__Output {
  'batchTime': (number);
  'error': (_millrace_v1_ErrorInfo__Output | null);
}
