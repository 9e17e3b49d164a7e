// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface LastNotice {
  'level'?: (string);
  'text'?: (string);
  'at'?: (number | string | Long);
}

export interface LastNotice__Output {
  'level': (string);
  'text': (string);
  'at': (number);
}
