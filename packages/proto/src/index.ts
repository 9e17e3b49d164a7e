export { BUNDLE_FILES_MAX } from './bundle-archive.ts';
export { type ChunkSink, type CollectOptions, chunksOf, collectChunks, writeChunks } from './chunks.ts';
export {
  type ClientChannel,
  type ClientChannelOptions,
  callUnary,
  clientChannel,
  deadlineIn,
} from './client-channel.ts';
export {
  assertBindAllowed,
  authenticate,
  channelCredentials,
  isLoopback,
  type SecurityOptions,
  serverCredentials,
  type TlsOptions,
  withToken,
} from './credentials.ts';
export { errorFromWire, errorToWire, recordFromWire, recordToWire } from './error-wire.ts';
export {
  type FailureKind,
  failureFromWire,
  failureKind,
  failureRecordFromWire,
  failureRecordToWire,
  failureToWire,
} from './failure-wire.ts';
export { checkHello, hello } from './hello.ts';
export {
  CHUNK_BYTES_MAX,
  CLIENT_OPTIONS,
  KEEPALIVE_MS,
  KEEPALIVE_TIMEOUT_MS,
  MESSAGE_BYTES_MAX,
  SERVER_OPTIONS,
  UNARY_DEADLINE_MS,
} from './limits.ts';
export type * from './messages.ts';
export { BLOCKS, EXECUTOR_LINK, PROGRAMS, SERVICES, SUBMISSION } from './services.ts';
export { ERROR_METADATA, grpcStatusToError, statusOf } from './status.ts';
export * from './task.ts';
export {
  createWireServer,
  failCall,
  unaryHandler,
  type WireServer,
  type WireServerOptions,
} from './wire-server.ts';
