// Messages of the services under their own names: what is received. `…Init` is what may be sent: every field optional.
// Only those that somebody uses.
export type { Accepted__Output as Accepted } from './gen/millrace/v1/Accepted.ts';
export type {
  ApplicationEvent as ApplicationEventInit,
  ApplicationEvent__Output as ApplicationEvent,
} from './gen/millrace/v1/ApplicationEvent.ts';
export type {
  ApplicationStatus as ApplicationStatusInit,
  ApplicationStatus__Output as ApplicationStatus,
} from './gen/millrace/v1/ApplicationStatus.ts';
export type { BatchCompleted__Output as BatchCompleted } from './gen/millrace/v1/BatchCompleted.ts';
export type {
  BlockChunk as BlockChunkInit,
  BlockChunk__Output as BlockChunk,
} from './gen/millrace/v1/BlockChunk.ts';
export type { BlocksClient, BlocksHandlers } from './gen/millrace/v1/Blocks.ts';
export type { Chunk as ChunkInit, Chunk__Output as Chunk } from './gen/millrace/v1/Chunk.ts';
export type {
  DriverMessage as DriverMessageInit,
  DriverMessage__Output as DriverMessage,
} from './gen/millrace/v1/DriverMessage.ts';
export type { ErrorInfo__Output as ErrorInfo } from './gen/millrace/v1/ErrorInfo.ts';
export type { ExecutorLinkClient, ExecutorLinkHandlers } from './gen/millrace/v1/ExecutorLink.ts';
export type {
  ExecutorMessage as ExecutorMessageInit,
  ExecutorMessage__Output as ExecutorMessage,
} from './gen/millrace/v1/ExecutorMessage.ts';
export type {
  ExecutorStatus as ExecutorStatusInit,
  ExecutorStatus__Output as ExecutorStatus,
} from './gen/millrace/v1/ExecutorStatus.ts';
export type {
  ExpectedRange as ExpectedRangeInit,
  ExpectedRange__Output as ExpectedRange,
} from './gen/millrace/v1/ExpectedRange.ts';
export type { FetchBlocksRequest__Output as FetchBlocksRequest } from './gen/millrace/v1/FetchBlocksRequest.ts';
export type { GetRequest__Output as GetRequest } from './gen/millrace/v1/GetRequest.ts';
export type { HeartbeatReply__Output as HeartbeatReply } from './gen/millrace/v1/HeartbeatReply.ts';
export type {
  HeartbeatRequest as HeartbeatRequestInit,
  HeartbeatRequest__Output as HeartbeatRequest,
} from './gen/millrace/v1/HeartbeatRequest.ts';
export type { Hello__Output as Hello } from './gen/millrace/v1/Hello.ts';
export type {
  LaunchTask as LaunchTaskInit,
  LaunchTask__Output as LaunchTask,
} from './gen/millrace/v1/LaunchTask.ts';
export type { ListReply__Output as ListReply } from './gen/millrace/v1/ListReply.ts';
export type { LogLine as LogLineInit } from './gen/millrace/v1/LogLine.ts';
export type { Notice__Output as Notice } from './gen/millrace/v1/Notice.ts';
export type {
  OffsetChange as OffsetChangeInit,
  OffsetChange__Output as OffsetChange,
} from './gen/millrace/v1/OffsetChange.ts';
export type {
  OffsetsReply as OffsetsReplyInit,
  OffsetsReply__Output as OffsetsReply,
} from './gen/millrace/v1/OffsetsReply.ts';
export type {
  OffsetsReport as OffsetsReportInit,
  OffsetsReport__Output as OffsetsReport,
} from './gen/millrace/v1/OffsetsReport.ts';
export type { OffsetsRequest as OffsetsRequestInit } from './gen/millrace/v1/OffsetsRequest.ts';
export type { Output__Output as Output } from './gen/millrace/v1/Output.ts';
export type { ProgramsClient, ProgramsHandlers } from './gen/millrace/v1/Programs.ts';
export type { Refused__Output as Refused } from './gen/millrace/v1/Refused.ts';
export type { Register as RegisterInit, Register__Output as Register } from './gen/millrace/v1/Register.ts';
export type { Registered__Output as Registered } from './gen/millrace/v1/Registered.ts';
export type { SlotHealth__Output as SlotHealth } from './gen/millrace/v1/SlotHealth.ts';
export type { SlotsChanged__Output as SlotsChanged } from './gen/millrace/v1/SlotsChanged.ts';
export type { StatusRequest__Output as StatusRequest } from './gen/millrace/v1/StatusRequest.ts';
export type {
  StopReply as StopReplyInit,
  StopReply__Output as StopReply,
} from './gen/millrace/v1/StopReply.ts';
export type { SubmissionClient, SubmissionHandlers } from './gen/millrace/v1/Submission.ts';
export type {
  SubmitHeader as SubmitHeaderInit,
  SubmitHeader__Output as SubmitHeader,
} from './gen/millrace/v1/SubmitHeader.ts';
export type {
  SubmitMessage as SubmitMessageInit,
  SubmitMessage__Output as SubmitMessage,
} from './gen/millrace/v1/SubmitMessage.ts';
export type {
  SubmitReply as SubmitReplyInit,
  SubmitReply__Output as SubmitReply,
} from './gen/millrace/v1/SubmitReply.ts';
export type {
  TaskEnded as TaskEndedInit,
  TaskEnded__Output as TaskEnded,
} from './gen/millrace/v1/TaskEnded.ts';
export type { TaskFailure__Output as TaskFailure } from './gen/millrace/v1/TaskFailure.ts';
export type { TaskKey as TaskKeyInit, TaskKey__Output as TaskKey } from './gen/millrace/v1/TaskKey.ts';
