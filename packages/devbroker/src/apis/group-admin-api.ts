import { KAFKA_ERROR } from '@millrace/kafka';
import { coordinatorOf } from '../broker-state.ts';
import { GROUP_STATE_NAMES } from '../groups/group-coordinator.ts';
import { NO_BYTES } from '../groups/group-member.ts';
import { defineApi, type RequestContext } from '../protocol/api.ts';
import {
  array,
  between,
  boolean,
  bytes,
  int8,
  int16,
  int32,
  nullableString,
  since,
  string,
  struct,
  upTo,
  withDefault,
} from '../protocol/schema.ts';

const NO_OPERATIONS = -2147483648;
// FindCoordinatorRequest.CoordinatorType.
const GROUP = 0;
const TRANSACTION = 1;

const nodeFields = { nodeId: int32, host: string, port: int32 };

export const findCoordinatorApi = defineApi({
  name: 'FindCoordinator',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 3,
  request: struct({
    key: upTo(3, string, ''),
    keyType: since(1, int8, GROUP),
    keys: since(4, array(string), []),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: upTo(3, int16, 0),
    errorMessage: between(1, 3, nullableString, null),
    nodeId: upTo(3, int32, -1),
    host: upTo(3, string, ''),
    port: upTo(3, int32, -1),
    coordinators: since(
      4,
      array(
        struct({
          key: string,
          ...nodeFields,
          errorCode: int16,
          errorMessage: withDefault(nullableString, null),
        }),
      ),
      [],
    ),
  }),
  handle({ key, keyType, keys }, context) {
    if (context.version < 4) return locate(context, key, keyType);
    return { coordinators: keys.map((one) => ({ key: one, ...locate(context, one, keyType) })) };
  },
});

function locate({ state, faults }: RequestContext, key: string, keyType: number) {
  const nowhere = { nodeId: -1, host: '', port: -1 };
  const injected = faults.errorFor();
  if (injected !== undefined) return { errorCode: injected, ...nowhere };
  if (keyType !== GROUP && keyType !== TRANSACTION) {
    const errorMessage = 'the embedded broker coordinates consumer groups and transactions only';
    return { errorCode: KAFKA_ERROR.INVALID_REQUEST, errorMessage, ...nowhere };
  }
  const node = coordinatorOf(state, key);
  return { errorCode: KAFKA_ERROR.NONE, nodeId: node.id, host: node.host, port: node.port };
}

export const listGroupsApi = defineApi({
  name: 'ListGroups',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 3,
  request: struct({ statesFilter: since(4, array(string), []), typesFilter: since(5, array(string), []) }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    groups: array(
      struct({
        groupId: string,
        protocolType: string,
        groupState: since(4, string, ''),
        groupType: since(5, string, ''),
      }),
    ),
  }),
  handle: ({ statesFilter, typesFilter }, { state, faults, nodeId }) => ({
    errorCode: faults.errorFor() ?? KAFKA_ERROR.NONE,
    groups: state.groups
      .all()
      // Clients ask every node and join the answers.
      .filter(({ coordinator }) => coordinatorOf(state, coordinator.groupId).id === nodeId)
      .map(({ coordinator }) => ({
        groupId: coordinator.groupId,
        protocolType: coordinator.protocolType,
        groupState: GROUP_STATE_NAMES[coordinator.state],
        groupType: 'classic',
      }))
      .filter((group) => passes(statesFilter, group.groupState) && passes(typesFilter, group.groupType)),
  }),
});

function passes(filter: readonly string[], value: string): boolean {
  return filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase());
}

const describedGroup = struct({
  errorCode: withDefault(int16, 0),
  errorMessage: since(6, nullableString, null),
  groupId: string,
  groupState: string,
  protocolType: withDefault(string, ''),
  protocolData: withDefault(string, ''),
  members: withDefault(
    array(
      struct({
        memberId: string,
        groupInstanceId: since(4, nullableString, null),
        clientId: string,
        clientHost: string,
        metadata: bytes,
        assignment: bytes,
      }),
    ),
    [],
  ),
  authorizedOperations: since(3, int32, NO_OPERATIONS),
});

export const describeGroupsApi = defineApi({
  name: 'DescribeGroups',
  minVersion: 0,
  maxVersion: 6,
  flexibleFrom: 5,
  request: struct({ groups: array(string), includeAuthorizedOperations: since(3, boolean, false) }),
  response: struct({ throttleTimeMs: since(1, int32, 0), groups: array(describedGroup) }),
  handle: ({ groups }, context) => ({ groups: groups.map((groupId) => describe(context, groupId)) }),
});

function describe({ state, faults, version }: RequestContext, groupId: string) {
  const injected = faults.errorFor();
  if (injected !== undefined) return { errorCode: injected, groupId, groupState: '' };
  const group = state.groups.get(groupId);
  if (group === undefined) {
    // Since v6 an unknown group is an error, before it was a dead one (KIP-1043).
    const errorCode = version >= 6 ? KAFKA_ERROR.GROUP_ID_NOT_FOUND : KAFKA_ERROR.NONE;
    return { errorCode, groupId, groupState: 'Dead' };
  }
  const { state: groupState, protocolType, protocolName, members } = group.coordinator;
  return {
    groupId,
    groupState: GROUP_STATE_NAMES[groupState],
    protocolType,
    protocolData: protocolName,
    members: members.map((member) => ({
      memberId: member.id,
      clientId: member.clientId,
      clientHost: `/${member.clientHost}`,
      metadata: member.protocols.find(({ name }) => name === protocolName)?.metadata ?? NO_BYTES,
      assignment: member.assignment,
    })),
  };
}

export const deleteGroupsApi = defineApi({
  name: 'DeleteGroups',
  minVersion: 0,
  maxVersion: 2,
  flexibleFrom: 2,
  request: struct({ groupIds: array(string) }),
  response: struct({
    throttleTimeMs: withDefault(int32, 0),
    results: array(struct({ groupId: string, errorCode: int16 })),
  }),
  handle: ({ groupIds }, { state, faults }) => ({
    results: groupIds.map((groupId) => ({
      groupId,
      errorCode: faults.errorFor() ?? state.groups.delete(groupId),
    })),
  }),
});
