// Original file: protos/executor.proto


export interface GetRequest {
  'hash'?: (string);
}

export interface GetRequest__Output {
  'hash': (string);
}
