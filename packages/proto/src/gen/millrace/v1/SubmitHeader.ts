// Original file: protos/submission.proto

import type { Hello as _millrace_v1_Hello, Hello__Output as _millrace_v1_Hello__Output } from '../../millrace/v1/Hello.ts';
import type { Long } from '@grpc/proto-loader';

export interface SubmitHeader {
  'hello'?: (_millrace_v1_Hello | null);
  'programHash'?: (string);
  'bundleBytes'?: (number | string | Long);
  'configJson'?: (string);
  'name'?: (string);
  'environment'?: ({[key: string]: string});
  'startAnew'?: (boolean);
  'withNewProgram'?: (boolean);
}

export interface SubmitHeader__Output {
  'hello': (_millrace_v1_Hello__Output | null);
  'programHash': (string);
  'bundleBytes': (number);
  'configJson': (string);
  'name': (string);
  'environment': ({[key: string]: string});
  'startAnew': (boolean);
  'withNewProgram': (boolean);
}
