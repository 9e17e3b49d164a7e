// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface EventsRequest {
  'application'?: (string);
  'afterSequence'?: (number | string | Long);
}

export interface EventsRequest__Output {
  'application': (string);
  'afterSequence': (number);
}
