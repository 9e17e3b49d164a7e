import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Accepted as _millrace_v1_Accepted, Accepted__Output as _millrace_v1_Accepted__Output } from './millrace/v1/Accepted.ts';
import type { AccumulatorChange as _millrace_v1_AccumulatorChange, AccumulatorChange__Output as _millrace_v1_AccumulatorChange__Output } from './millrace/v1/AccumulatorChange.ts';
import type { ApplicationEvent as _millrace_v1_ApplicationEvent, ApplicationEvent__Output as _millrace_v1_ApplicationEvent__Output } from './millrace/v1/ApplicationEvent.ts';
import type { ApplicationStatus as _millrace_v1_ApplicationStatus, ApplicationStatus__Output as _millrace_v1_ApplicationStatus__Output } from './millrace/v1/ApplicationStatus.ts';
import type { BatchCompleted as _millrace_v1_BatchCompleted, BatchCompleted__Output as _millrace_v1_BatchCompleted__Output } from './millrace/v1/BatchCompleted.ts';
import type { BatchFailed as _millrace_v1_BatchFailed, BatchFailed__Output as _millrace_v1_BatchFailed__Output } from './millrace/v1/BatchFailed.ts';
import type { CancelledFailure as _millrace_v1_CancelledFailure, CancelledFailure__Output as _millrace_v1_CancelledFailure__Output } from './millrace/v1/CancelledFailure.ts';
import type { EarlierProgram as _millrace_v1_EarlierProgram, EarlierProgram__Output as _millrace_v1_EarlierProgram__Output } from './millrace/v1/EarlierProgram.ts';
import type { ErrorInfo as _millrace_v1_ErrorInfo, ErrorInfo__Output as _millrace_v1_ErrorInfo__Output } from './millrace/v1/ErrorInfo.ts';
import type { EventsRequest as _millrace_v1_EventsRequest, EventsRequest__Output as _millrace_v1_EventsRequest__Output } from './millrace/v1/EventsRequest.ts';
import type { ExactOffsets as _millrace_v1_ExactOffsets, ExactOffsets__Output as _millrace_v1_ExactOffsets__Output } from './millrace/v1/ExactOffsets.ts';
import type { ExecutorStatus as _millrace_v1_ExecutorStatus, ExecutorStatus__Output as _millrace_v1_ExecutorStatus__Output } from './millrace/v1/ExecutorStatus.ts';
import type { ExternalFailure as _millrace_v1_ExternalFailure, ExternalFailure__Output as _millrace_v1_ExternalFailure__Output } from './millrace/v1/ExternalFailure.ts';
import type { FetchFailure as _millrace_v1_FetchFailure, FetchFailure__Output as _millrace_v1_FetchFailure__Output } from './millrace/v1/FetchFailure.ts';
import type { Gap as _millrace_v1_Gap, Gap__Output as _millrace_v1_Gap__Output } from './millrace/v1/Gap.ts';
import type { Hello as _millrace_v1_Hello, Hello__Output as _millrace_v1_Hello__Output } from './millrace/v1/Hello.ts';
import type { InternalFailure as _millrace_v1_InternalFailure, InternalFailure__Output as _millrace_v1_InternalFailure__Output } from './millrace/v1/InternalFailure.ts';
import type { LastNotice as _millrace_v1_LastNotice, LastNotice__Output as _millrace_v1_LastNotice__Output } from './millrace/v1/LastNotice.ts';
import type { ListReply as _millrace_v1_ListReply, ListReply__Output as _millrace_v1_ListReply__Output } from './millrace/v1/ListReply.ts';
import type { ListRequest as _millrace_v1_ListRequest, ListRequest__Output as _millrace_v1_ListRequest__Output } from './millrace/v1/ListRequest.ts';
import type { LogLine as _millrace_v1_LogLine, LogLine__Output as _millrace_v1_LogLine__Output } from './millrace/v1/LogLine.ts';
import type { LogsRequest as _millrace_v1_LogsRequest, LogsRequest__Output as _millrace_v1_LogsRequest__Output } from './millrace/v1/LogsRequest.ts';
import type { Notice as _millrace_v1_Notice, Notice__Output as _millrace_v1_Notice__Output } from './millrace/v1/Notice.ts';
import type { OffsetChange as _millrace_v1_OffsetChange, OffsetChange__Output as _millrace_v1_OffsetChange__Output } from './millrace/v1/OffsetChange.ts';
import type { OffsetLogRequest as _millrace_v1_OffsetLogRequest, OffsetLogRequest__Output as _millrace_v1_OffsetLogRequest__Output } from './millrace/v1/OffsetLogRequest.ts';
import type { OffsetsReply as _millrace_v1_OffsetsReply, OffsetsReply__Output as _millrace_v1_OffsetsReply__Output } from './millrace/v1/OffsetsReply.ts';
import type { OffsetsReport as _millrace_v1_OffsetsReport, OffsetsReport__Output as _millrace_v1_OffsetsReport__Output } from './millrace/v1/OffsetsReport.ts';
import type { OffsetsRequest as _millrace_v1_OffsetsRequest, OffsetsRequest__Output as _millrace_v1_OffsetsRequest__Output } from './millrace/v1/OffsetsRequest.ts';
import type { Output as _millrace_v1_Output, Output__Output as _millrace_v1_Output__Output } from './millrace/v1/Output.ts';
import type { PartitionOffsets as _millrace_v1_PartitionOffsets, PartitionOffsets__Output as _millrace_v1_PartitionOffsets__Output } from './millrace/v1/PartitionOffsets.ts';
import type { PlannedOffsets as _millrace_v1_PlannedOffsets, PlannedOffsets__Output as _millrace_v1_PlannedOffsets__Output } from './millrace/v1/PlannedOffsets.ts';
import type { RollbackRequest as _millrace_v1_RollbackRequest, RollbackRequest__Output as _millrace_v1_RollbackRequest__Output } from './millrace/v1/RollbackRequest.ts';
import type { SlotFailure as _millrace_v1_SlotFailure, SlotFailure__Output as _millrace_v1_SlotFailure__Output } from './millrace/v1/SlotFailure.ts';
import type { StateChanged as _millrace_v1_StateChanged, StateChanged__Output as _millrace_v1_StateChanged__Output } from './millrace/v1/StateChanged.ts';
import type { StatusRequest as _millrace_v1_StatusRequest, StatusRequest__Output as _millrace_v1_StatusRequest__Output } from './millrace/v1/StatusRequest.ts';
import type { StopReply as _millrace_v1_StopReply, StopReply__Output as _millrace_v1_StopReply__Output } from './millrace/v1/StopReply.ts';
import type { StopRequest as _millrace_v1_StopRequest, StopRequest__Output as _millrace_v1_StopRequest__Output } from './millrace/v1/StopRequest.ts';
import type { SubmissionClient as _millrace_v1_SubmissionClient, SubmissionDefinition as _millrace_v1_SubmissionDefinition } from './millrace/v1/Submission.ts';
import type { SubmitHeader as _millrace_v1_SubmitHeader, SubmitHeader__Output as _millrace_v1_SubmitHeader__Output } from './millrace/v1/SubmitHeader.ts';
import type { SubmitMessage as _millrace_v1_SubmitMessage, SubmitMessage__Output as _millrace_v1_SubmitMessage__Output } from './millrace/v1/SubmitMessage.ts';
import type { SubmitReply as _millrace_v1_SubmitReply, SubmitReply__Output as _millrace_v1_SubmitReply__Output } from './millrace/v1/SubmitReply.ts';
import type { TaskFailure as _millrace_v1_TaskFailure, TaskFailure__Output as _millrace_v1_TaskFailure__Output } from './millrace/v1/TaskFailure.ts';
import type { TaskKey as _millrace_v1_TaskKey, TaskKey__Output as _millrace_v1_TaskKey__Output } from './millrace/v1/TaskKey.ts';
import type { UserFailure as _millrace_v1_UserFailure, UserFailure__Output as _millrace_v1_UserFailure__Output } from './millrace/v1/UserFailure.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  millrace: {
    v1: {
      Accepted: MessageTypeDefinition<_millrace_v1_Accepted, _millrace_v1_Accepted__Output>
      AccumulatorChange: MessageTypeDefinition<_millrace_v1_AccumulatorChange, _millrace_v1_AccumulatorChange__Output>
      ApplicationEvent: MessageTypeDefinition<_millrace_v1_ApplicationEvent, _millrace_v1_ApplicationEvent__Output>
      ApplicationStatus: MessageTypeDefinition<_millrace_v1_ApplicationStatus, _millrace_v1_ApplicationStatus__Output>
      BatchCompleted: MessageTypeDefinition<_millrace_v1_BatchCompleted, _millrace_v1_BatchCompleted__Output>
      BatchFailed: MessageTypeDefinition<_millrace_v1_BatchFailed, _millrace_v1_BatchFailed__Output>
      CancelledFailure: MessageTypeDefinition<_millrace_v1_CancelledFailure, _millrace_v1_CancelledFailure__Output>
      EarlierProgram: MessageTypeDefinition<_millrace_v1_EarlierProgram, _millrace_v1_EarlierProgram__Output>
      ErrorInfo: MessageTypeDefinition<_millrace_v1_ErrorInfo, _millrace_v1_ErrorInfo__Output>
      EventsRequest: MessageTypeDefinition<_millrace_v1_EventsRequest, _millrace_v1_EventsRequest__Output>
      ExactOffsets: MessageTypeDefinition<_millrace_v1_ExactOffsets, _millrace_v1_ExactOffsets__Output>
      ExecutorStatus: MessageTypeDefinition<_millrace_v1_ExecutorStatus, _millrace_v1_ExecutorStatus__Output>
      ExternalFailure: MessageTypeDefinition<_millrace_v1_ExternalFailure, _millrace_v1_ExternalFailure__Output>
      FetchFailure: MessageTypeDefinition<_millrace_v1_FetchFailure, _millrace_v1_FetchFailure__Output>
      Gap: MessageTypeDefinition<_millrace_v1_Gap, _millrace_v1_Gap__Output>
      Hello: MessageTypeDefinition<_millrace_v1_Hello, _millrace_v1_Hello__Output>
      InternalFailure: MessageTypeDefinition<_millrace_v1_InternalFailure, _millrace_v1_InternalFailure__Output>
      LastNotice: MessageTypeDefinition<_millrace_v1_LastNotice, _millrace_v1_LastNotice__Output>
      ListReply: MessageTypeDefinition<_millrace_v1_ListReply, _millrace_v1_ListReply__Output>
      ListRequest: MessageTypeDefinition<_millrace_v1_ListRequest, _millrace_v1_ListRequest__Output>
      LogLine: MessageTypeDefinition<_millrace_v1_LogLine, _millrace_v1_LogLine__Output>
      LogsRequest: MessageTypeDefinition<_millrace_v1_LogsRequest, _millrace_v1_LogsRequest__Output>
      Notice: MessageTypeDefinition<_millrace_v1_Notice, _millrace_v1_Notice__Output>
      OffsetChange: MessageTypeDefinition<_millrace_v1_OffsetChange, _millrace_v1_OffsetChange__Output>
      OffsetLogRequest: MessageTypeDefinition<_millrace_v1_OffsetLogRequest, _millrace_v1_OffsetLogRequest__Output>
      OffsetsReply: MessageTypeDefinition<_millrace_v1_OffsetsReply, _millrace_v1_OffsetsReply__Output>
      OffsetsReport: MessageTypeDefinition<_millrace_v1_OffsetsReport, _millrace_v1_OffsetsReport__Output>
      OffsetsRequest: MessageTypeDefinition<_millrace_v1_OffsetsRequest, _millrace_v1_OffsetsRequest__Output>
      Output: MessageTypeDefinition<_millrace_v1_Output, _millrace_v1_Output__Output>
      PartitionOffsets: MessageTypeDefinition<_millrace_v1_PartitionOffsets, _millrace_v1_PartitionOffsets__Output>
      PlannedOffsets: MessageTypeDefinition<_millrace_v1_PlannedOffsets, _millrace_v1_PlannedOffsets__Output>
      RollbackRequest: MessageTypeDefinition<_millrace_v1_RollbackRequest, _millrace_v1_RollbackRequest__Output>
      SlotFailure: MessageTypeDefinition<_millrace_v1_SlotFailure, _millrace_v1_SlotFailure__Output>
      StateChanged: MessageTypeDefinition<_millrace_v1_StateChanged, _millrace_v1_StateChanged__Output>
      StatusRequest: MessageTypeDefinition<_millrace_v1_StatusRequest, _millrace_v1_StatusRequest__Output>
      StopReply: MessageTypeDefinition<_millrace_v1_StopReply, _millrace_v1_StopReply__Output>
      StopRequest: MessageTypeDefinition<_millrace_v1_StopRequest, _millrace_v1_StopRequest__Output>
      Submission: SubtypeConstructor<typeof grpc.Client, _millrace_v1_SubmissionClient> & { service: _millrace_v1_SubmissionDefinition }
      SubmitHeader: MessageTypeDefinition<_millrace_v1_SubmitHeader, _millrace_v1_SubmitHeader__Output>
      SubmitMessage: MessageTypeDefinition<_millrace_v1_SubmitMessage, _millrace_v1_SubmitMessage__Output>
      SubmitReply: MessageTypeDefinition<_millrace_v1_SubmitReply, _millrace_v1_SubmitReply__Output>
      TaskFailure: MessageTypeDefinition<_millrace_v1_TaskFailure, _millrace_v1_TaskFailure__Output>
      TaskKey: MessageTypeDefinition<_millrace_v1_TaskKey, _millrace_v1_TaskKey__Output>
      UserFailure: MessageTypeDefinition<_millrace_v1_UserFailure, _millrace_v1_UserFailure__Output>
    }
  }
}

