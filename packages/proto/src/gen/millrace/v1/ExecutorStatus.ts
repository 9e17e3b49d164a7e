// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface ExecutorStatus {
  'executorId'?: (string);
  'host'?: (string);
  'slots'?: (number);
  'ready'?: (number);
  'busy'?: (number);
  'pid'?: (number);
  'rssBytes'?: (number | string | Long);
  'registeredAt'?: (number | string | Long);
}

export interface ExecutorStatus__Output {
  'executorId': (string);
  'host': (string);
  'slots': (number);
  'ready': (number);
  'busy': (number);
  'pid': (number);
  'rssBytes': (number);
  'registeredAt': (number);
}
