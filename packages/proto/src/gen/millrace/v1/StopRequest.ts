// Original file: protos/submission.proto


// Original file: protos/submission.proto

export const _millrace_v1_StopRequest_Mode = {
  DRAIN: 'DRAIN',
  NOW: 'NOW',
  KILL: 'KILL',
} as const;

export type _millrace_v1_StopRequest_Mode =
  | 'DRAIN'
  | 0
  | 'NOW'
  | 1
  | 'KILL'
  | 2

export type _millrace_v1_StopRequest_Mode__Output = typeof _millrace_v1_StopRequest_Mode[keyof typeof _millrace_v1_StopRequest_Mode]

export interface StopRequest {
  'application'?: (string);
  'mode'?: (_millrace_v1_StopRequest_Mode);
  'timeoutMs'?: (number);
}

export interface StopRequest__Output {
  'application': (string);
  'mode': (_millrace_v1_StopRequest_Mode__Output);
  'timeoutMs': (number);
}
