// Original file: protos/submission.proto


export interface LogsRequest {
  'application'?: (string);
  'follow'?: (boolean);
  'tail'?: (number);
}

export interface LogsRequest__Output {
  'application': (string);
  'follow': (boolean);
  'tail': (number);
}
