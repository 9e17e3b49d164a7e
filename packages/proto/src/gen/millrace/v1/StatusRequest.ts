// Original file: protos/submission.proto


export interface StatusRequest {
  'application'?: (string);
}

export interface StatusRequest__Output {
  'application': (string);
}
