// Original file: protos/executor.proto

import type { Long } from '@grpc/proto-loader';

export interface ExpectedRange {
  'topic'?: (string);
  'partition'?: (number);
  'fromOffset'?: (number | string | Long);
  'untilOffset'?: (number | string | Long);
  'topicId'?: (string);
  'leaderEpoch'?: (number);
  '_leaderEpoch'?: "leaderEpoch";
}

export interface ExpectedRange__Output {
  'topic': (string);
  'partition': (number);
  'fromOffset': (number);
  'untilOffset': (number);
  'topicId': (string);
  'leaderEpoch'?: (number);
  '_leaderEpoch'?: "leaderEpoch";
}
