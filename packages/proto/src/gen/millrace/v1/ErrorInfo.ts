// Original file: protos/common.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';

export interface ErrorInfo {
  'code'?: (string);
  'what'?: (string);
  'remedy'?: (string);
  'retryable'?: (boolean);
  'detailsJson'?: (string);
  'stack'?: (string);
  'cause'?: (_millrace_v1_ErrorInfo | null);
}

export interface ErrorInfo__Output {
  'code': (string);
  'what': (string);
  'remedy': (string);
  'retryable': (boolean);
  'detailsJson': (string);
  'stack': (string);
  'cause': (_millrace_v1_ErrorInfo__Output | null);
}
