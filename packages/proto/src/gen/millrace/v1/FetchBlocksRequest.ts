// Original file: protos/executor.proto


export interface FetchBlocksRequest {
  'blockIds'?: (string)[];
}

export interface FetchBlocksRequest__Output {
  'blockIds': (string)[];
}
