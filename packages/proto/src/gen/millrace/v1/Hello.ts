// Original file: protos/common.proto


export interface Hello {
  'protocol'?: (number);
  'nodeMajor'?: (number);
  'millraceVersion'?: (string);
}

export interface Hello__Output {
  'protocol': (number);
  'nodeMajor': (number);
  'millraceVersion': (string);
}
