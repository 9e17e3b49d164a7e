// Original file: protos/executor.proto


export interface Drain {
  'timeoutMs'?: (number);
}

export interface Drain__Output {
  'timeoutMs': (number);
}
