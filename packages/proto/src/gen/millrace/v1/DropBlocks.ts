// Original file: protos/executor.proto


export interface DropBlocks {
  'blockIds'?: (string)[];
  'prefix'?: (string);
}

export interface DropBlocks__Output {
  'blockIds': (string)[];
  'prefix': (string);
}
