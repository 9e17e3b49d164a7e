// Messages of the services under their own names: what is received. `…Init` is what may be sent: every field optional.
export type { Accepted as AcceptedInit, Accepted__Output as Accepted } from './gen/millrace/v1/Accepted.ts';
export type {
  ApplicationEvent as ApplicationEventInit,
  ApplicationEvent__Output as ApplicationEvent,
} from './gen/millrace/v1/ApplicationEvent.ts';
export type {
  ApplicationStatus as ApplicationStatusInit,
  ApplicationStatus__Output as ApplicationStatus,
} from './gen/millrace/v1/ApplicationStatus.ts';
export type {
  BatchCompleted as BatchCompletedInit,
  BatchCompleted__Output as BatchCompleted,
} from './gen/millrace/v1/BatchCompleted.ts';
export type {
  BatchFailed as BatchFailedInit,
  BatchFailed__Output as BatchFailed,
} from './gen/millrace/v1/BatchFailed.ts';
export type {
  BlockChunk as BlockChunkInit,
  BlockChunk__Output as BlockChunk,
} from './gen/millrace/v1/BlockChunk.ts';
export type { BlocksClient, BlocksHandlers } from './gen/millrace/v1/Blocks.ts';
export type {
  CancelledFailure as CancelledFailureInit,
  CancelledFailure__Output as CancelledFailure,
} from './gen/millrace/v1/CancelledFailure.ts';
export type { Chunk as ChunkInit, Chunk__Output as Chunk } from './gen/millrace/v1/Chunk.ts';
export type { Drain as DrainInit, Drain__Output as Drain } from './gen/millrace/v1/Drain.ts';
export type {
  DriverMessage as DriverMessageInit,
  DriverMessage__Output as DriverMessage,
} from './gen/millrace/v1/DriverMessage.ts';
export type {
  DropApplication as DropApplicationInit,
  DropApplication__Output as DropApplication,
} from './gen/millrace/v1/DropApplication.ts';
export type {
  DropBlocks as DropBlocksInit,
  DropBlocks__Output as DropBlocks,
} from './gen/millrace/v1/DropBlocks.ts';
export type {
  ErrorInfo as ErrorInfoInit,
  ErrorInfo__Output as ErrorInfo,
} from './gen/millrace/v1/ErrorInfo.ts';
export type {
  EventsRequest as EventsRequestInit,
  EventsRequest__Output as EventsRequest,
} from './gen/millrace/v1/EventsRequest.ts';
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
  ExternalFailure as ExternalFailureInit,
  ExternalFailure__Output as ExternalFailure,
} from './gen/millrace/v1/ExternalFailure.ts';
export type {
  FetchBlocksRequest as FetchBlocksRequestInit,
  FetchBlocksRequest__Output as FetchBlocksRequest,
} from './gen/millrace/v1/FetchBlocksRequest.ts';
export type {
  FetchFailure as FetchFailureInit,
  FetchFailure__Output as FetchFailure,
} from './gen/millrace/v1/FetchFailure.ts';
export type { Gap as GapInit, Gap__Output as Gap } from './gen/millrace/v1/Gap.ts';
export type {
  GetRequest as GetRequestInit,
  GetRequest__Output as GetRequest,
} from './gen/millrace/v1/GetRequest.ts';
export type {
  HeartbeatReply as HeartbeatReplyInit,
  HeartbeatReply__Output as HeartbeatReply,
} from './gen/millrace/v1/HeartbeatReply.ts';
export type {
  HeartbeatRequest as HeartbeatRequestInit,
  HeartbeatRequest__Output as HeartbeatRequest,
} from './gen/millrace/v1/HeartbeatRequest.ts';
export type { Hello as HelloInit, Hello__Output as Hello } from './gen/millrace/v1/Hello.ts';
export type {
  InternalFailure as InternalFailureInit,
  InternalFailure__Output as InternalFailure,
} from './gen/millrace/v1/InternalFailure.ts';
export type { KillTask as KillTaskInit, KillTask__Output as KillTask } from './gen/millrace/v1/KillTask.ts';
export type {
  LaunchTask as LaunchTaskInit,
  LaunchTask__Output as LaunchTask,
} from './gen/millrace/v1/LaunchTask.ts';
export type {
  ListReply as ListReplyInit,
  ListReply__Output as ListReply,
} from './gen/millrace/v1/ListReply.ts';
export type {
  ListRequest as ListRequestInit,
  ListRequest__Output as ListRequest,
} from './gen/millrace/v1/ListRequest.ts';
export type { LogLine as LogLineInit, LogLine__Output as LogLine } from './gen/millrace/v1/LogLine.ts';
export type {
  LogsRequest as LogsRequestInit,
  LogsRequest__Output as LogsRequest,
} from './gen/millrace/v1/LogsRequest.ts';
export type { Notice as NoticeInit, Notice__Output as Notice } from './gen/millrace/v1/Notice.ts';
export type { Output as OutputInit, Output__Output as Output } from './gen/millrace/v1/Output.ts';
export type { ProgramsClient, ProgramsHandlers } from './gen/millrace/v1/Programs.ts';
export type { Refused as RefusedInit, Refused__Output as Refused } from './gen/millrace/v1/Refused.ts';
export type { Register as RegisterInit, Register__Output as Register } from './gen/millrace/v1/Register.ts';
export type {
  Registered as RegisteredInit,
  Registered__Output as Registered,
} from './gen/millrace/v1/Registered.ts';
export type {
  ResultBlock as ResultBlockInit,
  ResultBlock__Output as ResultBlock,
} from './gen/millrace/v1/ResultBlock.ts';
export type {
  SlotFailure as SlotFailureInit,
  SlotFailure__Output as SlotFailure,
} from './gen/millrace/v1/SlotFailure.ts';
export type {
  SlotHealth as SlotHealthInit,
  SlotHealth__Output as SlotHealth,
} from './gen/millrace/v1/SlotHealth.ts';
export type {
  SlotsChanged as SlotsChangedInit,
  SlotsChanged__Output as SlotsChanged,
} from './gen/millrace/v1/SlotsChanged.ts';
export type {
  StateChanged as StateChangedInit,
  StateChanged__Output as StateChanged,
} from './gen/millrace/v1/StateChanged.ts';
export type {
  StatusRequest as StatusRequestInit,
  StatusRequest__Output as StatusRequest,
} from './gen/millrace/v1/StatusRequest.ts';
export type {
  StopReply as StopReplyInit,
  StopReply__Output as StopReply,
} from './gen/millrace/v1/StopReply.ts';
export type {
  StopRequest as StopRequestInit,
  StopRequest__Output as StopRequest,
} from './gen/millrace/v1/StopRequest.ts';
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
export type {
  TaskFailure as TaskFailureInit,
  TaskFailure__Output as TaskFailure,
} from './gen/millrace/v1/TaskFailure.ts';
export type { TaskKey as TaskKeyInit, TaskKey__Output as TaskKey } from './gen/millrace/v1/TaskKey.ts';
export type {
  TaskMetrics as TaskMetricsInit,
  TaskMetrics__Output as TaskMetrics,
} from './gen/millrace/v1/TaskMetrics.ts';
export type {
  UserFailure as UserFailureInit,
  UserFailure__Output as UserFailure,
} from './gen/millrace/v1/UserFailure.ts';
