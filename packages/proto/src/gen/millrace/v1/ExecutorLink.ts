// Original file: protos/executor.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { DriverMessage as _millrace_v1_DriverMessage, DriverMessage__Output as _millrace_v1_DriverMessage__Output } from '../../millrace/v1/DriverMessage.ts';
import type { ExecutorMessage as _millrace_v1_ExecutorMessage, ExecutorMessage__Output as _millrace_v1_ExecutorMessage__Output } from '../../millrace/v1/ExecutorMessage.ts';
import type { HeartbeatReply as _millrace_v1_HeartbeatReply, HeartbeatReply__Output as _millrace_v1_HeartbeatReply__Output } from '../../millrace/v1/HeartbeatReply.ts';
import type { HeartbeatRequest as _millrace_v1_HeartbeatRequest, HeartbeatRequest__Output as _millrace_v1_HeartbeatRequest__Output } from '../../millrace/v1/HeartbeatRequest.ts';

export interface ExecutorLinkClient extends grpc.Client {
  Attach(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_millrace_v1_ExecutorMessage, _millrace_v1_DriverMessage__Output>;
  Attach(options?: grpc.CallOptions): grpc.ClientDuplexStream<_millrace_v1_ExecutorMessage, _millrace_v1_DriverMessage__Output>;
  attach(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_millrace_v1_ExecutorMessage, _millrace_v1_DriverMessage__Output>;
  attach(options?: grpc.CallOptions): grpc.ClientDuplexStream<_millrace_v1_ExecutorMessage, _millrace_v1_DriverMessage__Output>;
  
  Heartbeat(argument: _millrace_v1_HeartbeatRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_HeartbeatReply__Output>): grpc.ClientUnaryCall;
  Heartbeat(argument: _millrace_v1_HeartbeatRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_HeartbeatReply__Output>): grpc.ClientUnaryCall;
  Heartbeat(argument: _millrace_v1_HeartbeatRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_HeartbeatReply__Output>): grpc.ClientUnaryCall;
  Heartbeat(argument: _millrace_v1_HeartbeatRequest, callback: grpc.requestCallback<_millrace_v1_HeartbeatReply__Output>): grpc.ClientUnaryCall;
  heartbeat(argument: _millrace_v1_HeartbeatRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_HeartbeatReply__Output>): grpc.ClientUnaryCall;
  heartbeat(argument: _millrace_v1_HeartbeatRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_millrace_v1_HeartbeatReply__Output>): grpc.ClientUnaryCall;
  heartbeat(argument: _millrace_v1_HeartbeatRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_millrace_v1_HeartbeatReply__Output>): grpc.ClientUnaryCall;
  heartbeat(argument: _millrace_v1_HeartbeatRequest, callback: grpc.requestCallback<_millrace_v1_HeartbeatReply__Output>): grpc.ClientUnaryCall;
  
}

export interface ExecutorLinkHandlers extends grpc.UntypedServiceImplementation {
  Attach: grpc.handleBidiStreamingCall<_millrace_v1_ExecutorMessage__Output, _millrace_v1_DriverMessage>;
  
  Heartbeat: grpc.handleUnaryCall<_millrace_v1_HeartbeatRequest__Output, _millrace_v1_HeartbeatReply>;
  
}

export interface ExecutorLinkDefinition extends grpc.ServiceDefinition {
  Attach: MethodDefinition<_millrace_v1_ExecutorMessage, _millrace_v1_DriverMessage, _millrace_v1_ExecutorMessage__Output, _millrace_v1_DriverMessage__Output>
  Heartbeat: MethodDefinition<_millrace_v1_HeartbeatRequest, _millrace_v1_HeartbeatReply, _millrace_v1_HeartbeatRequest__Output, _millrace_v1_HeartbeatReply__Output>
}
