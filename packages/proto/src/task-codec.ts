import { assertNever, MillraceError, messageOf } from '@millrace/common';
import protobuf from 'protobufjs/light.js';
import { taskDescriptor } from './gen/task-descriptor.ts';
import { type ShuffleInputWire, shuffleInputFromWire, shuffleInputToWire } from './shuffle-input.ts';
import type {
  MapOutputMessage,
  PipelineMessage,
  RangeMessage,
  StageMessage,
  TaskInputMessage,
  TaskMessage,
} from './task-messages.ts';

// Reflection: protobufjs compiles an encoder and a decoder for each type at first use, as fast as generated ones.
const root = protobuf.Root.fromJSON(taskDescriptor);
const stageType = root.lookupType('millrace.task.v1.Stage');
const taskType = root.lookupType('millrace.task.v1.Task');
const mapOutputType = root.lookupType('millrace.task.v1.MapOutput');
const PLAIN = { longs: Number, enums: String, defaults: true, arrays: true, oneofs: true };

/** Encoded once a stage, at the host. @throws MillraceError OFFSET_UNSAFE. */
export function encodeStage(stage: StageMessage): Uint8Array {
  for (const range of stage.ranges) checkRange(range);
  return stageType.encode({ ...stage, pipelines: stage.pipelines.map(pipelineToWire) }).finish();
}

/** @throws MillraceError BAD_REQUEST when `bytes` are no Stage, OFFSET_UNSAFE. */
export function decodeStage(bytes: Uint8Array): StageMessage {
  const stage = decode(stageType, bytes) as StageMessage;
  if (stage.action === null || stage.pipelines.some((pipeline) => !hasSource(pipeline)))
    throw malformed('Stage', 'it lacks its action or a source');
  for (const range of stage.ranges) checkRange(range);
  return stage;
}

/** @throws MillraceError OFFSET_UNSAFE. */
export function encodeTask({ pipeline, input, broadcasts }: TaskMessage): Uint8Array {
  return taskType.encode({ pipeline, broadcasts, input: inputToWire(input) }).finish();
}

/** @throws MillraceError BAD_REQUEST when `bytes` are no Task, OFFSET_UNSAFE. */
export function decodeTask(bytes: Uint8Array): TaskMessage {
  const { pipeline, broadcasts, input } = decode(taskType, bytes) as TaskWire;
  return { pipeline, broadcasts, input: inputFromWire(input) };
}

/** The result of a map task. */
export function encodeMapOutput(output: MapOutputMessage): Uint8Array {
  return mapOutputType.encode(output).finish();
}

/** @throws MillraceError BAD_REQUEST when `bytes` are no MapOutput. */
export function decodeMapOutput(bytes: Uint8Array): MapOutputMessage {
  return decode(mapOutputType, bytes) as MapOutputMessage;
}

interface TaskWire {
  readonly pipeline: number;
  readonly broadcasts: readonly string[];
  readonly input: InputWire | null;
}

interface InputWire {
  readonly range?: RangeMessage;
  readonly rows?: Uint8Array;
  readonly shuffle?: ShuffleInputWire;
  readonly merge?: { readonly inputs: readonly InputWire[]; readonly children?: readonly number[] };
}

function pipelineToWire({ source, operators }: PipelineMessage): object {
  switch (source.kind) {
    case 'kafka':
      return { operators, source: { kafka: source.kafka } };
    case 'rows':
      return { operators, source: { rows: {} } };
    case 'shuffle':
      return { operators, source: { shuffle: {} } };
    case 'stored':
      return { operators, source: { stored: {} } };
    case 'merge':
      return {
        operators,
        source: { merge: { ...source.merge, children: source.merge.children.map(pipelineToWire) } },
      };
    default:
      return assertNever(source, 'source');
  }
}

function hasSource({ source }: PipelineMessage): boolean {
  if (source?.kind === undefined) return false;
  return source.kind !== 'merge' || source.merge.children.every(hasSource);
}

function inputToWire(input: TaskInputMessage): InputWire {
  switch (input.kind) {
    case 'range':
      checkRange(input.range);
      return { range: input.range };
    case 'rows':
      return { rows: input.rows };
    case 'shuffle':
      return { shuffle: shuffleInputToWire(input.blocks) };
    case 'merge':
      return { merge: { inputs: input.inputs.map(inputToWire), children: input.children ?? [] } };
    default:
      return assertNever(input, 'task input');
  }
}

function inputFromWire(wire: InputWire | null): TaskInputMessage {
  const { range, rows, shuffle, merge } = wire ?? {};
  if (range) {
    checkRange(range);
    return { kind: 'range', range };
  }
  if (rows) return { kind: 'rows', rows };
  if (shuffle) {
    const blocks = shuffleInputFromWire(shuffle);
    if (!blocks) throw malformed('Task', 'the columns of its blocks do not fit together');
    return { kind: 'shuffle', blocks };
  }
  if (merge) {
    const { inputs, children = [] } = merge;
    const chosen = children.length > 0 ? { children } : {};
    return { kind: 'merge', inputs: inputs.map(inputFromWire), ...chosen };
  }
  throw malformed('Task', 'it has no input');
}

function decode(type: protobuf.Type, bytes: Uint8Array): object {
  try {
    return type.toObject(type.decode(bytes), PLAIN);
  } catch (error) {
    throw malformed(type.name, messageOf(error));
  }
}

function malformed(type: string, why: string): MillraceError {
  return new MillraceError('BAD_REQUEST', `the bytes are no ${type} of this protocol: ${why}`);
}

function checkRange(range: RangeMessage): void {
  if (Number.isSafeInteger(range.fromOffset) && Number.isSafeInteger(range.untilOffset)) return;
  const { topic, partition } = range;
  throw new MillraceError('OFFSET_UNSAFE', `an offset of ${topic}-${partition} is above 2^53−1`, {
    details: { topic, partition },
  });
}
