// Original file: protos/executor.proto

import type { Long } from '@grpc/proto-loader';

export interface ResultBlock {
  'blockId'?: (string);
  'bytes'?: (number | string | Long);
  'blockAddress'?: (string);
}

export interface ResultBlock__Output {
  'blockId': (string);
  'bytes': (number);
  'blockAddress': (string);
}
