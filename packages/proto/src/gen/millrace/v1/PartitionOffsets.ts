// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface PartitionOffsets {
  'input'?: (number);
  'topic'?: (string);
  'partition'?: (number);
  'position'?: (number | string | Long);
  'earliest'?: (number | string | Long);
  'latest'?: (number | string | Long);
  'target'?: (number | string | Long);
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
  '_position'?: "position";
  '_earliest'?: "earliest";
  '_latest'?: "latest";
  '_target'?: "target";
}
