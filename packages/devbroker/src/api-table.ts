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
import type { Api } from './protocol/api.ts';

/** Everything that the broker speaks. ApiVersions tells clients just this table. */
export const API_TABLE: readonly Api[] = [
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
  apiVersionsApi(() => API_TABLE),
  createTopicsApi,
  deleteTopicsApi,
  deleteRecordsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  describeConfigsApi,
  alterConfigsApi,
  createPartitionsApi,
  deleteGroupsApi,
  incrementalAlterConfigsApi,
  offsetDeleteApi,
  describeClusterApi,
];
