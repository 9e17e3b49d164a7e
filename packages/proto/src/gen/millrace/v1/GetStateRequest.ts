// Original file: protos/executor.proto

import type { Long } from '@grpc/proto-loader';

export interface GetStateRequest {
  'application'?: (string);
  'file'?: (string);
  'offset'?: (number | string | Long);
  'bytes'?: (number | string | Long);
  'chain'?: (boolean);
  'until'?: (string);
}

export interface GetStateRequest__Output {
  'application': (string);
  'file': (string);
  'offset': (number);
  'bytes': (number);
  'chain': (boolean);
  'until': (string);
}
