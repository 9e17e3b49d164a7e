// What host and slots use of the protocol: no gRPC comes with it, so that a slot starts fast and stays small.
export { BUNDLE_BYTES_MAX, type BundleFile, packBundle, unpackBundle } from './bundle-archive.ts';
export { contentHash } from './content-hash.ts';
export type { StateClosure, StateMode, StateWriteCall } from './state-messages.ts';
export {
  corruptState,
  decodeStateHeader,
  encodeStateSection,
  STATE_HEADER_BYTES_MAX,
  STATE_MAGIC,
  type StateSectionHeader,
  type StateSectionMeta,
  type StateSectionRef,
} from './state-section.ts';
export {
  decodeMapOutput,
  decodeStage,
  decodeTask,
  encodeMapOutput,
  encodeStage,
  encodeTask,
} from './task-codec.ts';
export type {
  ActionMessage,
  CheckpointSection,
  ClosureMessage,
  CodecMessage,
  KafkaSourceMessage,
  MapOutputMessage,
  MergeSourceMessage,
  OperatorMessage,
  PipelineMessage,
  RangeMessage,
  ShuffleBlockMessage,
  SourceMessage,
  StageMessage,
  TaskInputMessage,
  TaskMessage,
} from './task-messages.ts';
