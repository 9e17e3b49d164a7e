// Original file: protos/submission.proto


export interface Notice {
  'level'?: (string);
  'text'?: (string);
}

export interface Notice__Output {
  'level': (string);
  'text': (string);
}
