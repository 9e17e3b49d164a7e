// Original file: protos/submission.proto


export interface RollbackRequest {
  'application'?: (string);
  'to'?: (string);
  'withNewProgram'?: (boolean);
}

export interface RollbackRequest__Output {
  'application': (string);
  'to': (string);
  'withNewProgram': (boolean);
}
