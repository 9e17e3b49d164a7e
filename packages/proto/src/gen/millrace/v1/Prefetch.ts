// Original file: protos/executor.proto

import type { ExpectedRange as _millrace_v1_ExpectedRange, ExpectedRange__Output as _millrace_v1_ExpectedRange__Output } from '../../millrace/v1/ExpectedRange.ts';

export interface Prefetch {
  'slot'?: (number);
  'ranges'?: (_millrace_v1_ExpectedRange)[];
}

export interface Prefetch__Output {
  'slot': (number);
  'ranges': (_millrace_v1_ExpectedRange__Output)[];
}
