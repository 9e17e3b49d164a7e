// Original file: protos/submission.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ApplicationEvent as _millrace_v1_ApplicationEvent, ApplicationEvent__Output as _millrace_v1_ApplicationEvent__Output } from '../../millrace/v1/ApplicationEvent.ts';
import type { ApplicationStatus as _millrace_v1_ApplicationStatus, ApplicationStatus__Output as _millrace_v1_ApplicationStatus__Output } from '../../millrace/v1/ApplicationStatus.ts';
import type { EventsRequest as _millrace_v1_EventsRequest, EventsRequest__Output as _millrace_v1_EventsRequest__Output } from '../../millrace/v1/EventsRequest.ts';
import type { ListReply as _millrace_v1_ListReply, ListReply__Output as _millrace_v1_ListReply__Output } from '../../millrace/v1/ListReply.ts';
import type { ListRequest as _millrace_v1_ListRequest, ListRequest__Output as _millrace_v1_ListRequest__Output } from '../../millrace/v1/ListRequest.ts';
import type { LogLine as _millrace_v1_LogLine, LogLine__Output as _millrace_v1_LogLine__Output } from '../../millrace/v1/LogLine.ts';
import type { LogsRequest as _millrace_v1_LogsRequest, LogsRequest__Output as _millrace_v1_LogsRequest__Output } from '../../millrace/v1/LogsRequest.ts';
import type { OffsetLogRequest as _millrace_v1_OffsetLogRequest, OffsetLogRequest__Output as _millrace_v1_OffsetLogRequest__Output } from '../../millrace/v1/OffsetLogRequest.ts';
import type { OffsetsReply as _millrace_v1_OffsetsReply, OffsetsReply__Output as _millrace_v1_OffsetsReply__Output } from '../../millrace/v1/OffsetsReply.ts';
import type { OffsetsRequest as _millrace_v1_OffsetsRequest, OffsetsRequest__Output as _millrace_v1_OffsetsRequest__Output } from '../../millrace/v1/OffsetsRequest.ts';
import type { RollbackRequest as _millrace_v1_RollbackRequest, RollbackRequest__Output as _millrace_v1_RollbackRequest__Output } from '../../millrace/v1/RollbackRequest.ts';
import type { StatusRequest as _millrace_v1_StatusRequest, StatusRequest__Output as _millrace_v1_StatusRequest__Output } from '../../millrace/v1/StatusRequest.ts';
import type { StopReply as _millrace_v1_StopReply, StopReply__Output as _millrace_v1_StopReply__Output } from '../../millrace/v1/StopReply.ts';
import type { StopRequest as _millrace_v1_StopRequest, StopRequest__Output as _millrace_v1_StopRequest__Output } from '../../millrace/v1/StopRequest.ts';
import type { SubmitMessage as _millrace_v1_SubmitMessage, SubmitMessage__Output as _millrace_v1_SubmitMessage__Output } from '../../millrace/v1/SubmitMessage.ts';
import type { SubmitReply as _millrace_v1_SubmitReply, SubmitReply__Output as _millrace_v1_SubmitReply__Output } from '../../millrace/v1/SubmitReply.ts';

export interface SubmissionClient extends grpc.Client {
  Events(argument: _millrace_v1_EventsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_ApplicationEvent__Output>;
  Events(argument: _millrace_v1_EventsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_ApplicationEvent__Output>;
  events(argument: _millrace_v1_EventsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_ApplicationEvent__Output>;
  events(argument: _millrace_v1_EventsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_ApplicationEvent__Output>;
  
  List(argument: _millrace_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _millrace_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _millrace_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  List(argument: _millrace_v1_ListRequest, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _millrace_v1_ListRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _millrace_v1_ListRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _millrace_v1_ListRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  list(argument: _millrace_v1_ListRequest, callback: grpc.requestCallback<_millrace_v1_ListReply__Output>): grpc.ClientUnaryCall;
  
  Logs(argument: _millrace_v1_LogsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogLine__Output>;
  Logs(argument: _millrace_v1_LogsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogLine__Output>;
  logs(argument: _millrace_v1_LogsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogLine__Output>;
  logs(argument: _millrace_v1_LogsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogLine__Output>;
  
  OffsetLog(argument: _millrace_v1_OffsetLogRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogLine__Output>;
  OffsetLog(argument: _millrace_v1_OffsetLogRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogLine__Output>;
  offsetLog(argument: _millrace_v1_OffsetLogRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogLine__Output>;
  offsetLog(argument: _millrace_v1_OffsetLogRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_LogLine__Output>;
  
  Offsets(argument: _millrace_v1_OffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_OffsetsReply__Output>): grpc.ClientUnaryCall;
  Offsets(argument: _millrace_v1_OffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_OffsetsReply__Output>): grpc.ClientUnaryCall;
  Offsets(argument: _millrace_v1_OffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_OffsetsReply__Output>): grpc.ClientUnaryCall;
  Offsets(argument: _millrace_v1_OffsetsRequest, callback: grpc.requestCallback<_millrace_v1_OffsetsReply__Output>): grpc.ClientUnaryCall;
  offsets(argument: _millrace_v1_OffsetsRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_OffsetsReply__Output>): grpc.ClientUnaryCall;
  offsets(argument: _millrace_v1_OffsetsRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_OffsetsReply__Output>): grpc.ClientUnaryCall;
  offsets(argument: _millrace_v1_OffsetsRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_OffsetsReply__Output>): grpc.ClientUnaryCall;
  offsets(argument: _millrace_v1_OffsetsRequest, callback: grpc.requestCallback<_millrace_v1_OffsetsReply__Output>): grpc.ClientUnaryCall;
  
  Rollback(argument: _millrace_v1_RollbackRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  Rollback(argument: _millrace_v1_RollbackRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  Rollback(argument: _millrace_v1_RollbackRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  Rollback(argument: _millrace_v1_RollbackRequest, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  rollback(argument: _millrace_v1_RollbackRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  rollback(argument: _millrace_v1_RollbackRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  rollback(argument: _millrace_v1_RollbackRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  rollback(argument: _millrace_v1_RollbackRequest, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientUnaryCall;
  
  Status(argument: _millrace_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ApplicationStatus__Output>): grpc.ClientUnaryCall;
  Status(argument: _millrace_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ApplicationStatus__Output>): grpc.ClientUnaryCall;
  Status(argument: _millrace_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ApplicationStatus__Output>): grpc.ClientUnaryCall;
  Status(argument: _millrace_v1_StatusRequest, callback: grpc.requestCallback<_millrace_v1_ApplicationStatus__Output>): grpc.ClientUnaryCall;
  status(argument: _millrace_v1_StatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ApplicationStatus__Output>): grpc.ClientUnaryCall;
  status(argument: _millrace_v1_StatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_ApplicationStatus__Output>): grpc.ClientUnaryCall;
  status(argument: _millrace_v1_StatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_ApplicationStatus__Output>): grpc.ClientUnaryCall;
  status(argument: _millrace_v1_StatusRequest, callback: grpc.requestCallback<_millrace_v1_ApplicationStatus__Output>): grpc.ClientUnaryCall;
  
  Stop(argument: _millrace_v1_StopRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_StopReply__Output>): grpc.ClientUnaryCall;
  Stop(argument: _millrace_v1_StopRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_StopReply__Output>): grpc.ClientUnaryCall;
  Stop(argument: _millrace_v1_StopRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_StopReply__Output>): grpc.ClientUnaryCall;
  Stop(argument: _millrace_v1_StopRequest, callback: grpc.requestCallback<_millrace_v1_StopReply__Output>): grpc.ClientUnaryCall;
  stop(argument: _millrace_v1_StopRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_StopReply__Output>): grpc.ClientUnaryCall;
  stop(argument: _millrace_v1_StopRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_StopReply__Output>): grpc.ClientUnaryCall;
  stop(argument: _millrace_v1_StopRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_StopReply__Output>): grpc.ClientUnaryCall;
  stop(argument: _millrace_v1_StopRequest, callback: grpc.requestCallback<_millrace_v1_StopReply__Output>): grpc.ClientUnaryCall;
  
  Submit(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitMessage>;
  Submit(metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitMessage>;
  Submit(options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitMessage>;
  Submit(callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitMessage>;
  submit(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitMessage>;
  submit(metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitMessage>;
  submit(options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitMessage>;
  submit(callback: grpc.requestCallback<_millrace_v1_SubmitReply__Output>): grpc.ClientWritableStream<_millrace_v1_SubmitMessage>;
  
}

export interface SubmissionHandlers extends grpc.UntypedServiceImplementation {
  Events: grpc.handleServerStreamingCall<_millrace_v1_EventsRequest__Output, _millrace_v1_ApplicationEvent>;
  
  List: grpc.handleUnaryCall<_millrace_v1_ListRequest__Output, _millrace_v1_ListReply>;
  
  Logs: grpc.handleServerStreamingCall<_millrace_v1_LogsRequest__Output, _millrace_v1_LogLine>;
  
  OffsetLog: grpc.handleServerStreamingCall<_millrace_v1_OffsetLogRequest__Output, _millrace_v1_LogLine>;
  
  Offsets: grpc.handleUnaryCall<_millrace_v1_OffsetsRequest__Output, _millrace_v1_OffsetsReply>;
  
  Rollback: grpc.handleUnaryCall<_millrace_v1_RollbackRequest__Output, _millrace_v1_SubmitReply>;
  
  Status: grpc.handleUnaryCall<_millrace_v1_StatusRequest__Output, _millrace_v1_ApplicationStatus>;
  
  Stop: grpc.handleUnaryCall<_millrace_v1_StopRequest__Output, _millrace_v1_StopReply>;
  
  Submit: grpc.handleClientStreamingCall<_millrace_v1_SubmitMessage__Output, _millrace_v1_SubmitReply>;
  
}

export interface SubmissionDefinition extends grpc.ServiceDefinition {
  Events: MethodDefinition<_millrace_v1_EventsRequest, _millrace_v1_ApplicationEvent, _millrace_v1_EventsRequest__Output, _millrace_v1_ApplicationEvent__Output>
  List: MethodDefinition<_millrace_v1_ListRequest, _millrace_v1_ListReply, _millrace_v1_ListRequest__Output, _millrace_v1_ListReply__Output>
  Logs: MethodDefinition<_millrace_v1_LogsRequest, _millrace_v1_LogLine, _millrace_v1_LogsRequest__Output, _millrace_v1_LogLine__Output>
  OffsetLog: MethodDefinition<_millrace_v1_OffsetLogRequest, _millrace_v1_LogLine, _millrace_v1_OffsetLogRequest__Output, _millrace_v1_LogLine__Output>
  Offsets: MethodDefinition<_millrace_v1_OffsetsRequest, _millrace_v1_OffsetsReply, _millrace_v1_OffsetsRequest__Output, _millrace_v1_OffsetsReply__Output>
  Rollback: MethodDefinition<_millrace_v1_RollbackRequest, _millrace_v1_SubmitReply, _millrace_v1_RollbackRequest__Output, _millrace_v1_SubmitReply__Output>
  Status: MethodDefinition<_millrace_v1_StatusRequest, _millrace_v1_ApplicationStatus, _millrace_v1_StatusRequest__Output, _millrace_v1_ApplicationStatus__Output>
  Stop: MethodDefinition<_millrace_v1_StopRequest, _millrace_v1_StopReply, _millrace_v1_StopRequest__Output, _millrace_v1_StopReply__Output>
  Submit: MethodDefinition<_millrace_v1_SubmitMessage, _millrace_v1_SubmitReply, _millrace_v1_SubmitMessage__Output, _millrace_v1_SubmitReply__Output>
}
