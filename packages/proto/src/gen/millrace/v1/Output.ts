// Original file: protos/submission.proto


export interface Output {
  'text'?: (string);
  'error'?: (boolean);
}

export interface Output__Output {
  'text': (string);
  'error': (boolean);
}
