import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { BlockChunk as _millrace_v1_BlockChunk, BlockChunk__Output as _millrace_v1_BlockChunk__Output } from './millrace/v1/BlockChunk.ts';
import type { BlocksClient as _millrace_v1_BlocksClient, BlocksDefinition as _millrace_v1_BlocksDefinition } from './millrace/v1/Blocks.ts';
import type { CancelledFailure as _millrace_v1_CancelledFailure, CancelledFailure__Output as _millrace_v1_CancelledFailure__Output } from './millrace/v1/CancelledFailure.ts';
import type { Chunk as _millrace_v1_Chunk, Chunk__Output as _millrace_v1_Chunk__Output } from './millrace/v1/Chunk.ts';
import type { Drain as _millrace_v1_Drain, Drain__Output as _millrace_v1_Drain__Output } from './millrace/v1/Drain.ts';
import type { DriverMessage as _millrace_v1_DriverMessage, DriverMessage__Output as _millrace_v1_DriverMessage__Output } from './millrace/v1/DriverMessage.ts';
import type { DropApplication as _millrace_v1_DropApplication, DropApplication__Output as _millrace_v1_DropApplication__Output } from './millrace/v1/DropApplication.ts';
import type { DropBlocks as _millrace_v1_DropBlocks, DropBlocks__Output as _millrace_v1_DropBlocks__Output } from './millrace/v1/DropBlocks.ts';
import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from './millrace/v1/ErrorInfo.ts';
import type { ExecutorLinkClient as _millrace_v1_ExecutorLinkClient, ExecutorLinkDefinition as _millrace_v1_ExecutorLinkDefinition } from './millrace/v1/ExecutorLink.ts';
import type { ExecutorMessage as _millrace_v1_ExecutorMessage, ExecutorMessage__Output as _millrace_v1_ExecutorMessage__Output } from './millrace/v1/ExecutorMessage.ts';
import type { ExpectedRange as _millrace_v1_ExpectedRange, ExpectedRange__Output as _millrace_v1_ExpectedRange__Output } from './millrace/v1/ExpectedRange.ts';
import type { ExternalFailure as _millrace_v1_ExternalFailure, ExternalFailure__Output as _millrace_v1_ExternalFailure__Output } from './millrace/v1/ExternalFailure.ts';
import type { FetchBlocksRequest as _millrace_v1_FetchBlocksRequest, FetchBlocksRequest__Output as _millrace_v1_FetchBlocksRequest__Output } from './millrace/v1/FetchBlocksRequest.ts';
import type { FetchFailure as _millrace_v1_FetchFailure, FetchFailure__Output as _millrace_v1_FetchFailure__Output } from './millrace/v1/FetchFailure.ts';
import type { GetRequest as _millrace_v1_GetRequest, GetRequest__Output as _millrace_v1_GetRequest__Output } from './millrace/v1/GetRequest.ts';
import type { GetStateRequest as _millrace_v1_GetStateRequest, GetStateRequest__Output as _millrace_v1_GetStateRequest__Output } from './millrace/v1/GetStateRequest.ts';
import type { HeartbeatReply as _millrace_v1_HeartbeatReply, HeartbeatReply__Output as _millrace_v1_HeartbeatReply__Output } from './millrace/v1/HeartbeatReply.ts';
import type { HeartbeatRequest as _millrace_v1_HeartbeatRequest, HeartbeatRequest__Output as _millrace_v1_HeartbeatRequest__Output } from './millrace/v1/HeartbeatRequest.ts';
import type { Hello as _millrace_v1_Hello, Hello__Output as _millrace_v1_Hello__Output } from './millrace/v1/Hello.ts';
import type { InternalFailure as _millrace_v1_InternalFailure, InternalFailure__Output as _millrace_v1_InternalFailure__Output } from './millrace/v1/InternalFailure.ts';
import type { KillTask as _millrace_v1_KillTask, KillTask__Output as _millrace_v1_KillTask__Output } from './millrace/v1/KillTask.ts';
import type { LaunchTask as _millrace_v1_LaunchTask, LaunchTask__Output as _millrace_v1_LaunchTask__Output } from './millrace/v1/LaunchTask.ts';
import type { LaunchTasks as _millrace_v1_LaunchTasks, LaunchTasks__Output as _millrace_v1_LaunchTasks__Output } from './millrace/v1/LaunchTasks.ts';
import type { Left as _millrace_v1_Left, Left__Output as _millrace_v1_Left__Output } from './millrace/v1/Left.ts';
import type { Prefetch as _millrace_v1_Prefetch, Prefetch__Output as _millrace_v1_Prefetch__Output } from './millrace/v1/Prefetch.ts';
import type { ProgramsClient as _millrace_v1_ProgramsClient, ProgramsDefinition as _millrace_v1_ProgramsDefinition } from './millrace/v1/Programs.ts';
import type { Refused as _millrace_v1_Refused, Refused__Output as _millrace_v1_Refused__Output } from './millrace/v1/Refused.ts';
import type { Register as _millrace_v1_Register, Register__Output as _millrace_v1_Register__Output } from './millrace/v1/Register.ts';
import type { Registered as _millrace_v1_Registered, Registered__Output as _millrace_v1_Registered__Output } from './millrace/v1/Registered.ts';
import type { ResultBlock as _millrace_v1_ResultBlock, ResultBlock__Output as _millrace_v1_ResultBlock__Output } from './millrace/v1/ResultBlock.ts';
import type { SlotFailure as _millrace_v1_SlotFailure, SlotFailure__Output as _millrace_v1_SlotFailure__Output } from './millrace/v1/SlotFailure.ts';
import type { SlotHealth as _millrace_v1_SlotHealth, SlotHealth__Output as _millrace_v1_SlotHealth__Output } from './millrace/v1/SlotHealth.ts';
import type { SlotsChanged as _millrace_v1_SlotsChanged, SlotsChanged__Output as _millrace_v1_SlotsChanged__Output } from './millrace/v1/SlotsChanged.ts';
import type { TaskEnded as _millrace_v1_TaskEnded, TaskEnded__Output as _millrace_v1_TaskEnded__Output } from './millrace/v1/TaskEnded.ts';
import type { TaskFailure as _millrace_v1_TaskFailure, TaskFailure__Output as _millrace_v1_TaskFailure__Output } from './millrace/v1/TaskFailure.ts';
import type { TaskKey as _millrace_v1_TaskKey, TaskKey__Output as _millrace_v1_TaskKey__Output } from './millrace/v1/TaskKey.ts';
import type { TaskMetrics as _millrace_v1_TaskMetrics, TaskMetrics__Output as _millrace_v1_TaskMetrics__Output } from './millrace/v1/TaskMetrics.ts';
import type { TasksEnded as _millrace_v1_TasksEnded, TasksEnded__Output as _millrace_v1_TasksEnded__Output } from './millrace/v1/TasksEnded.ts';
import type { UserFailure as _millrace_v1_UserFailure, UserFailure__Output as _millrace_v1_UserFailure__Output } from './millrace/v1/UserFailure.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  millrace: {
    v1: {
      BlockChunk: MessageTypeDefinition<_millrace_v1_BlockChunk, _millrace_v1_BlockChunk__Output>
      Blocks: SubtypeConstructor<typeof grpc.Client, _millrace_v1_BlocksClient> & { service: _millrace_v1_BlocksDefinition }
      CancelledFailure: MessageTypeDefinition<_millrace_v1_CancelledFailure, _millrace_v1_CancelledFailure__Output>
      Chunk: MessageTypeDefinition<_millrace_v1_Chunk, _millrace_v1_Chunk__Output>
      Drain: MessageTypeDefinition<_millrace_v1_Drain, _millrace_v1_Drain__Output>
      DriverMessage: MessageTypeDefinition<_millrace_v1_DriverMessage, _millrace_v1_DriverMessage__Output>
      DropApplication: MessageTypeDefinition<_millrace_v1_DropApplication, _millrace_v1_DropApplication__Output>
      DropBlocks: MessageTypeDefinition<_millrace_v1_DropBlocks, _millrace_v1_DropBlocks__Output>
      ErrorInfo: MessageTypeDefinition<_millrace_v1_ErrorInfo, _millrace_v1_ErrorInfo__Output>
      ExecutorLink: SubtypeConstructor<typeof grpc.Client, _millrace_v1_ExecutorLinkClient> & { service: _millrace_v1_ExecutorLinkDefinition }
      ExecutorMessage: MessageTypeDefinition<_millrace_v1_ExecutorMessage, _millrace_v1_ExecutorMessage__Output>
      ExpectedRange: MessageTypeDefinition<_millrace_v1_ExpectedRange, _millrace_v1_ExpectedRange__Output>
      ExternalFailure: MessageTypeDefinition<_millrace_v1_ExternalFailure, _millrace_v1_ExternalFailure__Output>
      FetchBlocksRequest: MessageTypeDefinition<_millrace_v1_FetchBlocksRequest, _millrace_v1_FetchBlocksRequest__Output>
      FetchFailure: MessageTypeDefinition<_millrace_v1_FetchFailure, _millrace_v1_FetchFailure__Output>
      GetRequest: MessageTypeDefinition<_millrace_v1_GetRequest, _millrace_v1_GetRequest__Output>
      GetStateRequest: MessageTypeDefinition<_millrace_v1_GetStateRequest, _millrace_v1_GetStateRequest__Output>
      HeartbeatReply: MessageTypeDefinition<_millrace_v1_HeartbeatReply, _millrace_v1_HeartbeatReply__Output>
      HeartbeatRequest: MessageTypeDefinition<_millrace_v1_HeartbeatRequest, _millrace_v1_HeartbeatRequest__Output>
      Hello: MessageTypeDefinition<_millrace_v1_Hello, _millrace_v1_Hello__Output>
      InternalFailure: MessageTypeDefinition<_millrace_v1_InternalFailure, _millrace_v1_InternalFailure__Output>
      KillTask: MessageTypeDefinition<_millrace_v1_KillTask, _millrace_v1_KillTask__Output>
      LaunchTask: MessageTypeDefinition<_millrace_v1_LaunchTask, _millrace_v1_LaunchTask__Output>
      LaunchTasks: MessageTypeDefinition<_millrace_v1_LaunchTasks, _millrace_v1_LaunchTasks__Output>
      Left: MessageTypeDefinition<_millrace_v1_Left, _millrace_v1_Left__Output>
      Prefetch: MessageTypeDefinition<_millrace_v1_Prefetch, _millrace_v1_Prefetch__Output>
      Programs: SubtypeConstructor<typeof grpc.Client, _millrace_v1_ProgramsClient> & { service: _millrace_v1_ProgramsDefinition }
      Refused: MessageTypeDefinition<_millrace_v1_Refused, _millrace_v1_Refused__Output>
      Register: MessageTypeDefinition<_millrace_v1_Register, _millrace_v1_Register__Output>
      Registered: MessageTypeDefinition<_millrace_v1_Registered, _millrace_v1_Registered__Output>
      ResultBlock: MessageTypeDefinition<_millrace_v1_ResultBlock, _millrace_v1_ResultBlock__Output>
      SlotFailure: MessageTypeDefinition<_millrace_v1_SlotFailure, _millrace_v1_SlotFailure__Output>
      SlotHealth: MessageTypeDefinition<_millrace_v1_SlotHealth, _millrace_v1_SlotHealth__Output>
      SlotsChanged: MessageTypeDefinition<_millrace_v1_SlotsChanged, _millrace_v1_SlotsChanged__Output>
      TaskEnded: MessageTypeDefinition<_millrace_v1_TaskEnded, _millrace_v1_TaskEnded__Output>
      TaskFailure: MessageTypeDefinition<_millrace_v1_TaskFailure, _millrace_v1_TaskFailure__Output>
      TaskKey: MessageTypeDefinition<_millrace_v1_TaskKey, _millrace_v1_TaskKey__Output>
      TaskMetrics: MessageTypeDefinition<_millrace_v1_TaskMetrics, _millrace_v1_TaskMetrics__Output>
      TasksEnded: MessageTypeDefinition<_millrace_v1_TasksEnded, _millrace_v1_TasksEnded__Output>
      UserFailure: MessageTypeDefinition<_millrace_v1_UserFailure, _millrace_v1_UserFailure__Output>
    }
  }
}

