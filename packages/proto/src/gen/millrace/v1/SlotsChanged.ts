// Original file: protos/executor.proto


export interface SlotsChanged {
  'ready'?: (number)[];
}

export interface SlotsChanged__Output {
  'ready': (number)[];
}
