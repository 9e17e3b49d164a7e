// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface PlannedOffsets {
  'from'?: (number | string | Long);
  'until'?: (number | string | Long);
}

export interface PlannedOffsets__Output {
  'from': (number);
  'until': (number);
}
