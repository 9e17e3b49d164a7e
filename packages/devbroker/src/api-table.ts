import type { ApiName } from '@millrace/kafka';
import { apiVersionsApi } from './apis/api-versions-api.ts';
import { describeClusterApi } from './apis/cluster-api.ts';
import { alterConfigsApi, describeConfigsApi, incrementalAlterConfigsApi } from './apis/config-api.ts';
import { fetchApi } from './apis/fetch-api.ts';
import {
  deleteGroupsApi,
  describeGroupsApi,
  findCoordinatorApi,
  listGroupsApi,
} from './apis/group-admin-api.ts';
import { heartbeatApi, joinGroupApi, leaveGroupApi, syncGroupApi } from './apis/group-membership-api.ts';
import { offsetCommitApi, offsetDeleteApi, offsetFetchApi } from './apis/group-offsets-api.ts';
import { offsetForLeaderEpochApi } from './apis/leader-epoch-api.ts';
import { listOffsetsApi } from './apis/list-offsets-api.ts';
import { metadataApi } from './apis/metadata-api.ts';
import { produceApi } from './apis/produce-api.ts';
import { initProducerIdApi } from './apis/producer-id-api.ts';
import {
  createPartitionsApi,
  createTopicsApi,
  deleteRecordsApi,
  deleteTopicsApi,
} from './apis/topic-admin-api.ts';
import {
  describeProducersApi,
  describeTransactionsApi,
  listTransactionsApi,
} from './apis/transaction-admin-api.ts';
import {
  addOffsetsToTxnApi,
  addPartitionsToTxnApi,
  endTxnApi,
  txnOffsetCommitApi,
} from './apis/transaction-api.ts';
import type { Api } from './protocol/api.ts';

/** Everything that the broker speaks. */
const APIS: readonly Api[] = [
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  createTopicsApi,
  deleteTopicsApi,
  deleteRecordsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  addPartitionsToTxnApi,
  addOffsetsToTxnApi,
  endTxnApi,
  txnOffsetCommitApi,
  describeConfigsApi,
  alterConfigsApi,
  createPartitionsApi,
  deleteGroupsApi,
  incrementalAlterConfigsApi,
  offsetDeleteApi,
  describeClusterApi,
  describeProducersApi,
  describeTransactionsApi,
  listTransactionsApi,
];

/** The APIs, none newer than `versionsMax` says of it. ApiVersions tells clients just this table. */
export function apiTable(versionsMax: Readonly<Partial<Record<ApiName, number>>> = {}): readonly Api[] {
  const table: Api[] = APIS.map((api) => ({
    ...api,
    maxVersion: Math.min(api.maxVersion, versionsMax[api.name] ?? api.maxVersion),
  }));
  table.push(apiVersionsApi(() => table));
  return table;
}
