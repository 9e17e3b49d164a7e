// Original file: protos/submission.proto


export interface LogLine {
  'line'?: (string);
}

export interface LogLine__Output {
  'line': (string);
}
