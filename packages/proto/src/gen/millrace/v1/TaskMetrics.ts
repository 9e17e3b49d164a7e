// Original file: protos/executor.proto

import type { Long } from '@grpc/proto-loader';

export interface TaskMetrics {
  'records'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  'queueMs'?: (number | string);
  'runMs'?: (number | string);
  'fetchMs'?: (number | string);
  'consumerCached'?: (boolean);
  'accumulators'?: (Buffer | Uint8Array | string);
}

export interface TaskMetrics__Output {
  'records': (number);
  'bytes': (number);
  'queueMs': (number);
  'runMs': (number);
  'fetchMs': (number);
  'consumerCached': (boolean);
  'accumulators': (Buffer);
}
