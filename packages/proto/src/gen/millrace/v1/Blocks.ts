// Original file: protos/executor.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { BlockChunk as _millrace_v1_BlockChunk, BlockChunk__Output as _millrace_v1_BlockChunk__Output } from '../../millrace/v1/BlockChunk.ts';
import type { FetchBlocksRequest as _millrace_v1_FetchBlocksRequest, FetchBlocksRequest__Output as _millrace_v1_FetchBlocksRequest__Output } from '../../millrace/v1/FetchBlocksRequest.ts';

export interface BlocksClient extends grpc.Client {
  Fetch(argument: _millrace_v1_FetchBlocksRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_BlockChunk__Output>;
  Fetch(argument: _millrace_v1_FetchBlocksRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_BlockChunk__Output>;
  fetch(argument: _millrace_v1_FetchBlocksRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_BlockChunk__Output>;
  fetch(argument: _millrace_v1_FetchBlocksRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_millrace_v1_BlockChunk__Output>;
  
}

export interface BlocksHandlers extends grpc.UntypedServiceImplementation {
  Fetch: grpc.handleServerStreamingCall<_millrace_v1_FetchBlocksRequest__Output, _millrace_v1_BlockChunk>;
  
}

export interface BlocksDefinition extends grpc.ServiceDefinition {
  Fetch: MethodDefinition<_millrace_v1_FetchBlocksRequest, _millrace_v1_BlockChunk, _millrace_v1_FetchBlocksRequest__Output, _millrace_v1_BlockChunk__Output>
}
