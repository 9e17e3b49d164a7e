// Original file: protos/submission.proto

import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from '../../millrace/v1/ErrorInfo.ts';
import type { EarlierProgram as _millrace_v1_EarlierProgram, EarlierProgram__Output as _millrace_v1_EarlierProgram__Output } from '../../millrace/v1/EarlierProgram.ts';
import type { LastNotice as _millrace_v1_LastNotice, LastNotice__Output as _millrace_v1_LastNotice__Output } from '../../millrace/v1/LastNotice.ts';
import type { Long } from '@grpc/proto-loader';

export interface ApplicationStatus {
  'application'?: (string);
  'state'?: (string);
  'epoch'?: (number);
  'programHash'?: (string);
  'submittedAt'?: (number | string | Long);
  'hostPid'?: (number);
  'batches'?: (number | string | Long);
  'records'?: (number | string | Long);
  'lag'?: (number | string | Long);
  'lastBatchTime'?: (number | string | Long);
  'lastProcessingMs'?: (number | string);
  'error'?: (_millrace_v1_ErrorInfo | null);
  'restarts'?: (number);
  'programId'?: (string);
  'earlierPrograms'?: (_millrace_v1_EarlierProgram)[];
  'skippedUndecodable'?: (number | string | Long);
  'skippedDeleted'?: (number | string | Long);
  'deadLetters'?: (number | string | Long);
  'lastNotice'?: (_millrace_v1_LastNotice | null);
}

export interface ApplicationStatus__Output {
  'application': (string);
  'state': (string);
  'epoch': (number);
  'programHash': (string);
  'submittedAt': (number);
  'hostPid': (number);
  'batches': (number);
  'records': (number);
  'lag': (number);
  'lastBatchTime': (number);
  'lastProcessingMs': (number);
  'error': (_millrace_v1_ErrorInfo__Output | null);
  'restarts': (number);
  'programId': (string);
  'earlierPrograms': (_millrace_v1_EarlierProgram__Output)[];
  'skippedUndecodable': (number);
  'skippedDeleted': (number);
  'deadLetters': (number);
  'lastNotice': (_millrace_v1_LastNotice__Output | null);
}
