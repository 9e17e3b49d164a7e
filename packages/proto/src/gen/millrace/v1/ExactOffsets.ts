// Original file: protos/submission.proto

import type { Long } from '@grpc/proto-loader';

export interface ExactOffsets {
  'offsets'?: ({[key: string]: number | string | Long});
}

export interface ExactOffsets__Output {
  'offsets': ({[key: string]: number});
}
