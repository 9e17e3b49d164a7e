// Original file: protos/executor.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { Chunk as _millrace_v1_Chunk, Chunk__Output as _millrace_v1_Chunk__Output } from '../../millrace/v1/Chunk.ts';
import type { GetRequest as _millrace_v1_GetRequest, GetRequest__Output as _millrace_v1_GetRequest__Output } from '../../millrace/v1/GetRequest.ts';
import type { GetStateRequest as _millrace_v1_GetStateRequest, GetStateRequest__Output as _millrace_v1_GetStateRequest__Output } from '../../millrace/v1/GetStateRequest.ts';

export interface ProgramsClient extends grpc.Client {
  Get(argument: _millrace_v1_GetRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_Chunk__Output>;
  Get(argument: _millrace_v1_GetRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_Chunk__Output>;
  get(argument: _millrace_v1_GetRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_Chunk__Output>;
  get(argument: _millrace_v1_GetRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_Chunk__Output>;
  
  GetState(argument: _millrace_v1_GetStateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_Chunk__Output>;
  GetState(argument: _millrace_v1_GetStateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_Chunk__Output>;
  getState(argument: _millrace_v1_GetStateRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_Chunk__Output>;
  getState(argument: _millrace_v1_GetStateRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_Chunk__Output>;
  
}

export interface ProgramsHandlers extends grpc.UntypedServiceImplementation {
  Get: grpc.handleServerStreamingCall<_millrace_v1_GetRequest__Output, _millrace_v1_Chunk>;
  
  GetState: grpc.handleServerStreamingCall<_millrace_v1_GetStateRequest__Output, _millrace_v1_Chunk>;
  
}

export interface ProgramsDefinition extends grpc.ServiceDefinition {
  Get: MethodDefinition<_millrace_v1_GetRequest, _millrace_v1_Chunk, _millrace_v1_GetRequest__Output, _millrace_v1_Chunk__Output>
  GetState: MethodDefinition<_millrace_v1_GetStateRequest, _millrace_v1_Chunk, _millrace_v1_GetStateRequest__Output, _millrace_v1_Chunk__Output>
}
