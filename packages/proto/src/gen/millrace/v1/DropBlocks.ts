// Original file: protos/executor.proto


export interface DropBlocks {
  'blockIds'?: (string)[];
}

export interface DropBlocks__Output {
  'blockIds': (string)[];
}
