// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface Accepted {
  'application'?: (string);
  'epoch'?: (number);
  'eventSequence'?: (number | string | Long);
  'notes'?: (string)[];
}

export interface Accepted__Output {
  'application': (string);
  'epoch': (number);
  'eventSequence': (number);
  'notes': (string)[];
}
