// Original file: protos/submission.proto

import type { ExactOffsets as _millrace_v1_ExactOffsets, ExactOffsets__Output as _millrace_v1_ExactOffsets__Output } from '../../millrace/v1/ExactOffsets.ts';
import type { Long } from '@grpc/proto-loader';

export interface OffsetChange {
  'exact'?: (_millrace_v1_ExactOffsets | null);
  'earliest'?: (boolean);
  'latest'?: (boolean);
  'timestamp'?: (number | string | Long);
  'shift'?: (number | string | Long);
  'group'?: (boolean);
  'only'?: (string)[];
  'input'?: (number);
  'target'?: "exact"|"earliest"|"latest"|"timestamp"|"shift"|"group";
  '_input'?: "input";
}

export interface OffsetChange__Output {
  'exact'?: (_millrace_v1_ExactOffsets__Output | null);
  'earliest'?: (boolean);
  'latest'?: (boolean);
  'timestamp'?: (number);
  'shift'?: (number);
  'group'?: (boolean);
  'only': (string)[];
  'input'?: (number);
  'target'?: "exact"|"earliest"|"latest"|"timestamp"|"shift"|"group";
  '_input'?: "input";
}
