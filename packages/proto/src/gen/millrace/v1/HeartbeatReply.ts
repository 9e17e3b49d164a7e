// Original file: protos/executor.proto


export interface HeartbeatReply {
  'known'?: (boolean);
}

export interface HeartbeatReply__Output {
  'known': (boolean);
}
