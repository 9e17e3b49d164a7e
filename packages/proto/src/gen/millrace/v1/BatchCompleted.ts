// Original file: protos/submission.proto

import type { AccumulatorChange as _millrace_v1_AccumulatorChange, AccumulatorChange__Output as _millrace_v1_AccumulatorChange__Output } from '../../millrace/v1/AccumulatorChange.ts';
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
  'accumulators'?: (_millrace_v1_AccumulatorChange)[];
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
  'accumulators': (_millrace_v1_AccumulatorChange__Output)[];
}
