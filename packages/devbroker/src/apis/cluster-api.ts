import { defineApi } from '../protocol/api.ts';
import {
  array,
  between,
  boolean,
  int8,
  int16,
  int32,
  nullableString,
  since,
  string,
  struct,
  withDefault,
} from '../protocol/schema.ts';

const NO_OPERATIONS = -2147483648;

export const describeClusterApi = defineApi({
  name: 'DescribeCluster',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 0,
  request: struct({
    includeClusterAuthorizedOperations: boolean,
    endpointType: since(1, int8, 1),
    includeFencedBrokers: since(2, boolean, false),
  }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    errorCode: int16,
    errorMessage: withDefault(nullableString, null),
    endpointType: since(1, int8, 1),
    clusterId: string,
    controllerId: int32,
    brokers: array(
      struct({
        id: int32,
        host: string,
        port: int32,
        rack: withDefault(nullableString, null),
        isFenced: between(2, 2, boolean, false),
      }),
    ),
    clusterAuthorizedOperations: withDefault(int32, NO_OPERATIONS),
  }),
  handle: (_request, { state, faults }) => ({
    errorCode: faults.errorFor() ?? 0,
    clusterId: state.clusterId,
    controllerId: (state.nodes[0] as { readonly id: number }).id,
    brokers: state.nodes,
  }),
});
