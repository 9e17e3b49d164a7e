// Original file: protos/common.proto

import type { Long } from '@grpc/proto-loader';

export interface TaskKey {
  'application'?: (string);
  'epoch'?: (number);
  'batchTime'?: (number | string | Long);
  'job'?: (number);
  'stage'?: (number);
  'partition'?: (number);
  'attempt'?: (number);
}

export interface TaskKey__Output {
  'application': (string);
  'epoch': (number);
  'batchTime': (number);
  'job': (number);
  'stage': (number);
  'partition': (number);
  'attempt': (number);
}
