import { KAFKA_ERROR } from '@millrace/kafka';
import { defineApi } from '../protocol/api.ts';
import {
  array,
  boolean,
  bytes,
  int16,
  int32,
  nullableString,
  since,
  string,
  struct,
  upTo,
  withDefault,
} from '../protocol/schema.ts';

// group.min.session.timeout.ms is 6000 in Kafka; tests may want shorter ones. The maximum is Kafka's default.
const SESSION_TIMEOUT_MS_MIN = 10;
const SESSION_TIMEOUT_MS_MAX = 1_800_000;

export const joinGroupApi = defineApi({
  name: 'JoinGroup',
  minVersion: 0,
  maxVersion: 9,
  flexibleFrom: 6,
  request: struct({
    groupId: string,
    sessionTimeoutMs: int32,
    rebalanceTimeoutMs: since(1, int32, -1),
    memberId: string,
    groupInstanceId: since(5, nullableString, null),
    protocolType: string,
    protocols: array(struct({ name: string, metadata: bytes })),
    reason: since(8, nullableString, null),
  }),
  response: struct({
    throttleTimeMs: since(2, int32, 0),
    errorCode: int16,
    generationId: withDefault(int32, -1),
    protocolType: since(7, nullableString, null),
    protocolName: withDefault(nullableString, null),
    leader: withDefault(string, ''),
    skipAssignment: since(9, boolean, false),
    memberId: string,
    members: withDefault(
      array(struct({ memberId: string, groupInstanceId: since(5, nullableString, null), metadata: bytes })),
      [],
    ),
  }),
  async handle(request, { state, faults, version, clientId, clientHost }) {
    const { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs } = request;
    const injected = faults.errorFor();
    if (injected !== undefined) return { errorCode: injected, memberId };
    if (groupId === '') return { errorCode: KAFKA_ERROR.INVALID_GROUP_ID, memberId };
    if (sessionTimeoutMs < SESSION_TIMEOUT_MS_MIN || sessionTimeoutMs > SESSION_TIMEOUT_MS_MAX) {
      return { errorCode: KAFKA_ERROR.INVALID_SESSION_TIMEOUT, memberId };
    }
    const answer = await state.groups.join(
      groupId,
      {
        memberId,
        clientId,
        clientHost,
        sessionTimeoutMs,
        rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
        protocolType: request.protocolType,
        // Copies: views would hold the request's whole buffer for as long as the member lives.
        protocols: request.protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) })),
      },
      version >= 4,
    );
    // Null is allowed from v7 on.
    return version >= 7 ? answer : { ...answer, protocolName: answer.protocolName ?? '' };
  },
});

export const syncGroupApi = defineApi({
  name: 'SyncGroup',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
    protocolType: since(5, nullableString, null),
    protocolName: since(5, nullableString, null),
    assignments: array(struct({ memberId: string, assignment: bytes })),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    protocolType: since(5, nullableString, null),
    protocolName: since(5, nullableString, null),
    assignment: withDefault(bytes, Buffer.alloc(0)),
  }),
  async handle({ groupId, memberId, generationId, assignments }, { state, faults }) {
    const injected = faults.errorFor();
    if (injected !== undefined) return { errorCode: injected };
    const answer = await state.groups.sync(groupId, {
      memberId,
      generationId,
      assignments: new Map(assignments.map((one) => [one.memberId, Buffer.from(one.assignment)])),
    });
    return answer ?? { errorCode: KAFKA_ERROR.UNKNOWN_MEMBER_ID };
  },
});

export const heartbeatApi = defineApi({
  name: 'Heartbeat',
  minVersion: 0,
  maxVersion: 4,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: since(3, nullableString, null),
  }),
  response: struct({ throttleTimeMs: since(1, int32, 0), errorCode: int16 }),
  handle: ({ groupId, generationId, memberId }, { state, faults }) => ({
    errorCode: faults.errorFor() ?? state.groups.heartbeat(groupId, memberId, generationId),
  }),
});

const leaving = struct({
  memberId: string,
  groupInstanceId: nullableString,
  reason: since(5, nullableString, null),
});

export const leaveGroupApi = defineApi({
  name: 'LeaveGroup',
  minVersion: 0,
  maxVersion: 5,
  flexibleFrom: 4,
  request: struct({
    groupId: string,
    memberId: upTo(2, string, ''),
    members: since(3, array(leaving), []),
  }),
  response: struct({
    throttleTimeMs: since(1, int32, 0),
    errorCode: int16,
    members: since(
      3,
      array(
        struct({ memberId: string, groupInstanceId: withDefault(nullableString, null), errorCode: int16 }),
      ),
      [],
    ),
  }),
  handle({ groupId, memberId, members }, { state, faults, version }) {
    const injected = faults.errorFor();
    if (injected !== undefined) return { errorCode: injected };
    if (version < 3) return { errorCode: state.groups.leave(groupId, memberId) };
    return {
      errorCode: KAFKA_ERROR.NONE,
      members: members.map((member) => ({
        memberId: member.memberId,
        groupInstanceId: member.groupInstanceId,
        errorCode: state.groups.leave(groupId, member.memberId),
      })),
    };
  },
});
