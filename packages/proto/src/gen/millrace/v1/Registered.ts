// Original file: protos/executor.proto


export interface Registered {
  'driverId'?: (string);
  'heartbeatIntervalMs'?: (number);
  'executorTimeoutMs'?: (number);
}

export interface Registered__Output {
  'driverId': (string);
  'heartbeatIntervalMs': (number);
  'executorTimeoutMs': (number);
}
