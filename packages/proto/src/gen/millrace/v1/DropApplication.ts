// Original file: protos/executor.proto


export interface DropApplication {
  'application'?: (string);
  'belowEpoch'?: (number);
}

export interface DropApplication__Output {
  'application': (string);
  'belowEpoch': (number);
}
