// Original file: protos/executor.proto


export interface BlockChunk {
  'blockId'?: (string);
  'data'?: (Buffer | Uint8Array | string);
  'last'?: (boolean);
}

export interface BlockChunk__Output {
  'blockId': (string);
  'data': (Buffer);
  'last': (boolean);
}
