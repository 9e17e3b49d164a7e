// Original file: protos/submission.proto

import type { PartitionOffsets as _millrace_v1_PartitionOffsets, PartitionOffsets__Output as _millrace_v1_PartitionOffsets__Output } from '../../millrace/v1/PartitionOffsets.ts';
import type { Long } from '@grpc/proto-loader';

export interface OffsetsReport {
  'application'?: (string);
  'epoch'?: (number);
  'lastBatchTime'?: (number | string | Long);
  'pendingBatchTime'?: (number | string | Long);
  'executed'?: (boolean);
  'partitions'?: (_millrace_v1_PartitionOffsets)[];
  'notes'?: (string)[];
  'givesUp'?: (boolean);
}

export interface OffsetsReport__Output {
  'application': (string);
  'epoch': (number);
  'lastBatchTime': (number);
  'pendingBatchTime': (number);
  'executed': (boolean);
  'partitions': (_millrace_v1_PartitionOffsets__Output)[];
  'notes': (string)[];
  'givesUp': (boolean);
}
