export { type ChunkSink, type CollectOptions, chunksOf, collectChunks, writeChunks } from './chunks.ts';
export {
  type ClientChannel,
  type ClientChannelOptions,
  callUnary,
  clientChannel,
  deadlineIn,
} from './client-channel.ts';
export { isLoopback, type SecurityOptions, type TlsOptions } from './credentials.ts';
export { errorFromWire, errorToWire, recordFromWire, recordToWire } from './error-wire.ts';
export {
  failureFromWire,
  failureRecordFromWire,
  failureRecordToWire,
} from './failure-wire.ts';
export { checkHello, hello } from './hello.ts';
export { CHUNK_BYTES_MAX, MESSAGE_BYTES_MAX } from './limits.ts';
export type * from './messages.ts';
export { BLOCKS, EXECUTOR_LINK, PROGRAMS, SUBMISSION } from './services.ts';
export { grpcStatusToError } from './status.ts';
export * from './task.ts';
export {
  createWireServer,
  failCall,
  unaryHandler,
  type WireServer,
  type WireServerOptions,
} from './wire-server.ts';
