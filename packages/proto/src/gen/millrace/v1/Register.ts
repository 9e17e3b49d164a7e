// Original file: protos/executor.proto

import type { Hello as _millrace_v1_Hello, Hello__Output as _millrace_v1_Hello__Output } from '../../millrace/v1/Hello.ts';

export interface Register {
  'hello'?: (_millrace_v1_Hello | null);
  'executorId'?: (string);
  'host'?: (string);
  'rack'?: (string);
  'slots'?: (number);
  'pid'?: (number);
  'blockAddress'?: (string);
}

export interface Register__Output {
  'hello': (_millrace_v1_Hello__Output | null);
  'executorId': (string);
  'host': (string);
  'rack': (string);
  'slots': (number);
  'pid': (number);
  'blockAddress': (string);
}
