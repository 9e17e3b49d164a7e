// Original file: protos/submission.proto

import type { StateChanged as _millrace_v1_StateChanged, StateChanged__Output as _millrace_v1_StateChanged__Output } from '../../millrace/v1/StateChanged.ts';
import type { BatchCompleted as _millrace_v1_BatchCompleted, BatchCompleted__Output as _millrace_v1_BatchCompleted__Output } from '../../millrace/v1/BatchCompleted.ts';
import type { BatchFailed as _millrace_v1_BatchFailed, BatchFailed__Output as _millrace_v1_BatchFailed__Output } from '../../millrace/v1/BatchFailed.ts';
import type { Output as _millrace_v1_Output, Output__Output as _millrace_v1_Output__Output } from '../../millrace/v1/Output.ts';
import type { Gap as _millrace_v1_Gap, Gap__Output as _millrace_v1_Gap__Output } from '../../millrace/v1/Gap.ts';
import type { Notice as _millrace_v1_Notice, Notice__Output as _millrace_v1_Notice__Output } from '../../millrace/v1/Notice.ts';
import type { Long } from '@grpc/proto-loader';

export interface ApplicationEvent {
  'sequence'?: (number | string | Long);
  'at'?: (number | string | Long);
  'application'?: (string);
  'state'?: (_millrace_v1_StateChanged | null);
  'batchCompleted'?: (_millrace_v1_BatchCompleted | null);
  'batchFailed'?: (_millrace_v1_BatchFailed | null);
  'output'?: (_millrace_v1_Output | null);
  'gap'?: (_millrace_v1_Gap | null);
  'notice'?: (_millrace_v1_Notice | null);
  'event'?: "state"|"batchCompleted"|"batchFailed"|"output"|"gap"|"notice";
}

export interface ApplicationEvent__Output {
  'sequence': (number);
  'at': (number);
  'application': (string);
  'state'?: (_millrace_v1_StateChanged__Output | null);
  'batchCompleted'?: (_millrace_v1_BatchCompleted__Output | null);
  'batchFailed'?: (_millrace_v1_BatchFailed__Output | null);
  'output'?: (_millrace_v1_Output__Output | null);
  'gap'?: (_millrace_v1_Gap__Output | null);
  'notice'?: (_millrace_v1_Notice__Output | null);
  'event'?: "state"|"batchCompleted"|"batchFailed"|"output"|"gap"|"notice";
}
