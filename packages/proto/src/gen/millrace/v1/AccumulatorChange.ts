// Original file: protos/submission.proto


export interface AccumulatorChange {
  'name'?: (string);
  'value'?: (string);
  'added'?: (string);
}

export interface AccumulatorChange__Output {
  'name': (string);
  'value': (string);
  'added': (string);
}
