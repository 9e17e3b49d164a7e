// Original file: protos/submission.proto


export interface OffsetLogRequest {
  'application'?: (string);
  'tail'?: (number);
}

export interface OffsetLogRequest__Output {
  'application': (string);
  'tail': (number);
}
