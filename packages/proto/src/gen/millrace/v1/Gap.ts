// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface Gap {
  'dropped'?: (number | string | Long);
}

export interface Gap__Output {
  'dropped': (number);
}
