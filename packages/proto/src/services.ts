import { loadPackageDefinition, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { ProtoGrpcType as ExecutorProto } from './gen/executor.ts';
import type { BlocksDefinition } from './gen/millrace/v1/Blocks.ts';
import type { ExecutorLinkDefinition } from './gen/millrace/v1/ExecutorLink.ts';
import type { ProgramsDefinition } from './gen/millrace/v1/Programs.ts';
import type { SubmissionDefinition } from './gen/millrace/v1/Submission.ts';
import { servicesDescriptor } from './gen/services-descriptor.ts';
import type { ProtoGrpcType as SubmissionProto } from './gen/submission.ts';

type Packages = ExecutorProto['millrace']['v1'] & SubmissionProto['millrace']['v1'];

// gRPC would write to standard error by itself; what goes wrong reaches us as errors of calls and of bind.
setLogVerbosity(logVerbosity.NONE);

const definition = fromJSON(servicesDescriptor, {
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
});
const packages = (loadPackageDefinition(definition) as unknown as { millrace: { v1: Packages } }).millrace.v1;

/** For `server.addService(EXECUTOR_LINK, handlers)`. */
export const EXECUTOR_LINK: ExecutorLinkDefinition = packages.ExecutorLink.service;
export const PROGRAMS: ProgramsDefinition = packages.Programs.service;
export const BLOCKS: BlocksDefinition = packages.Blocks.service;
export const SUBMISSION: SubmissionDefinition = packages.Submission.service;
/** Every service, by name. */
export const SERVICES = {
  ExecutorLink: EXECUTOR_LINK,
  Programs: PROGRAMS,
  Blocks: BLOCKS,
  Submission: SUBMISSION,
} as const;

/** Client classes; `clientChannel` makes them over one connection. */
export const clientClasses = {
  executorLink: packages.ExecutorLink,
  programs: packages.Programs,
  blocks: packages.Blocks,
  submission: packages.Submission,
};
