// Original file: protos/common.proto

import type { UserFailure as _millrace_v1_UserFailure, UserFailure__Output as _millrace_v1_UserFailure__Output } from '../../millrace/v1/UserFailure.ts';
import type { ExternalFailure as _millrace_v1_ExternalFailure, ExternalFailure__Output as _millrace_v1_ExternalFailure__Output } from '../../millrace/v1/ExternalFailure.ts';
import type { InternalFailure as _millrace_v1_InternalFailure, InternalFailure__Output as _millrace_v1_InternalFailure__Output } from '../../millrace/v1/InternalFailure.ts';
import type { SlotFailure as _millrace_v1_SlotFailure, SlotFailure__Output as _millrace_v1_SlotFailure__Output } from '../../millrace/v1/SlotFailure.ts';
import type { FetchFailure as _millrace_v1_FetchFailure, FetchFailure__Output as _millrace_v1_FetchFailure__Output } from '../../millrace/v1/FetchFailure.ts';
import type { CancelledFailure as _millrace_v1_CancelledFailure, CancelledFailure__Output as _millrace_v1_CancelledFailure__Output } from '../../millrace/v1/CancelledFailure.ts';

export interface TaskFailure {
  'user'?: (_millrace_v1_UserFailure | null);
  'external'?: (_millrace_v1_ExternalFailure | null);
  'internal'?: (_millrace_v1_InternalFailure | null);
  'slot'?: (_millrace_v1_SlotFailure | null);
  'fetch'?: (_millrace_v1_FetchFailure | null);
  'cancelled'?: (_millrace_v1_CancelledFailure | null);
  'kind'?: "user"|"external"|"internal"|"slot"|"fetch"|"cancelled";
}

export interface TaskFailure__Output {
  'user'?: (_millrace_v1_UserFailure__Output | null);
  'external'?: (_millrace_v1_ExternalFailure__Output | null);
  'internal'?: (_millrace_v1_InternalFailure__Output | null);
  'slot'?: (_millrace_v1_SlotFailure__Output | null);
  'fetch'?: (_millrace_v1_FetchFailure__Output | null);
  'cancelled'?: (_millrace_v1_CancelledFailure__Output | null);
  'kind'?: "user"|"external"|"internal"|"slot"|"fetch"|"cancelled";
}
