// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface EarlierProgram {
  'programId'?: (string);
  'programHash'?: (string);
  'submittedAt'?: (number | string | Long);
}

export interface EarlierProgram__Output {
  'programId': (string);
  'programHash': (string);
  'submittedAt': (number);
}
