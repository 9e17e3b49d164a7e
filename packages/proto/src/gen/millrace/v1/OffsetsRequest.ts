// Original file: protos/submission.proto

import type { OffsetChange as _millrace_v1_OffsetChange, OffsetChange__Output as _millrace_v1_OffsetChange__Output } from '../../millrace/v1/OffsetChange.ts';

export interface OffsetsRequest {
  'application'?: (string);
  'change'?: (_millrace_v1_OffsetChange | null);
  'execute'?: (boolean);
  'ends'?: (boolean);
}

export interface OffsetsRequest__Output {
  'application': (string);
  'change': (_millrace_v1_OffsetChange__Output | null);
  'execute': (boolean);
  'ends': (boolean);
}
