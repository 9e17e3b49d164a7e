// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface BatchCompleted {
  'number'?: (number | string | Long);
  'batchTime'?: (number | string | Long);
  'records'?: (number | string | Long);
  'span'?: (number | string | Long);
  'tasks'?: (number);
  'failedAttempts'?: (number);
  'lag'?: (number | string | Long);
  'schedulingMs'?: (number | string);
  'processingMs'?: (number | string);
  'totalMs'?: (number | string);
  'coalescedIntervals'?: (number);
  'batchIntervalMs'?: (number);
}

export interface BatchCompleted__Output {
  'number': (number);
  'batchTime': (number);
  'records': (number);
  'span': (number);
  'tasks': (number);
  'failedAttempts': (number);
  'lag': (number);
  'schedulingMs': (number);
  'processingMs': (number);
  'totalMs': (number);
  'coalescedIntervals': (number);
  'batchIntervalMs': (number);
}
