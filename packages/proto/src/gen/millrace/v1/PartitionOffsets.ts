// Original file: protos/submission.proto

import type { PlannedOffsets as _millrace_v1_PlannedOffsets, PlannedOffsets__Output as _millrace_v1_PlannedOffsets__Output } from '../../millrace/v1/PlannedOffsets.ts';
import type { Long } from '@grpc/proto-loader';

export interface PartitionOffsets {
  'input'?: (number);
  'topic'?: (string);
  'partition'?: (number);
  'position'?: (number | string | Long);
  'earliest'?: (number | string | Long);
  'latest'?: (number | string | Long);
  'target'?: (number | string | Long);
  'planned'?: (_millrace_v1_PlannedOffsets | null);
  'isRecreated'?: (boolean);
  '_position'?: "position";
  '_earliest'?: "earliest";
  '_latest'?: "latest";
  '_target'?: "target";
}

export interface PartitionOffsets__Output {
  'input': (number);
  'topic': (string);
  'partition': (number);
  'position'?: (number);
  'earliest'?: (number);
  'latest'?: (number);
  'target'?: (number);
  'planned': (_millrace_v1_PlannedOffsets__Output | null);
  'isRecreated': (boolean);
  '_position'?: "position";
  '_earliest'?: "earliest";
  '_latest'?: "latest";
  '_target'?: "target";
}
