// Original file: protos/executor.proto

import type { SlotHealth as _millrace_v1_SlotHealth, SlotHealth__Output as _millrace_v1_SlotHealth__Output } from '../../millrace/v1/SlotHealth.ts';
import type { Long } from '@grpc/proto-loader';

export interface HeartbeatRequest {
  'executorId'?: (string);
  'sequence'?: (number | string | Long);
  'rssBytes'?: (number | string | Long);
  'slots'?: (_millrace_v1_SlotHealth)[];
}

export interface HeartbeatRequest__Output {
  'executorId': (string);
  'sequence': (number);
  'rssBytes': (number);
  'slots': (_millrace_v1_SlotHealth__Output)[];
}
