// Original file: protos/executor.proto

import type { Long } from '@grpc/proto-loader';

export interface SlotHealth {
  'slot'?: (number);
  'pid'?: (number);
  'rssBytes'?: (number | string | Long);
  'busy'?: (boolean);
  'cachedConsumers'?: (number);
}

export interface SlotHealth__Output {
  'slot': (number);
  'pid': (number);
  'rssBytes': (number);
  'busy': (boolean);
  'cachedConsumers': (number);
}
