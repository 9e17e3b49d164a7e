import { MillraceError, messageOf } from '@millrace/common';
import protobuf from 'protobufjs/light.js';
import { taskDescriptor } from './gen/task-descriptor.ts';
import type { RangeMessage, StageMessage, TaskMessage } from './task-messages.ts';

// Reflection: protobufjs compiles an encoder and a decoder for each type at first use, as fast as generated ones.
const root = protobuf.Root.fromJSON(taskDescriptor);
const stageType = root.lookupType('millrace.task.v1.Stage');
const taskType = root.lookupType('millrace.task.v1.Task');
const PLAIN = { longs: Number, enums: String, defaults: true, arrays: true, oneofs: true };

/** Encoded once a stage, at the host. @throws MillraceError OFFSET_UNSAFE. */
export function encodeStage(stage: StageMessage): Uint8Array {
  for (const range of stage.ranges) checkRange(range);
  const pipelines = stage.pipelines.map(({ source, operators }) => ({
    operators,
    source: source.kind === 'kafka' ? { kafka: source.kafka } : { rows: {} },
  }));
  return stageType.encode({ ...stage, pipelines }).finish();
}

/** @throws MillraceError BAD_REQUEST when `bytes` are no Stage, OFFSET_UNSAFE. */
export function decodeStage(bytes: Uint8Array): StageMessage {
  const stage = decode(stageType, bytes) as StageMessage;
  if (stage.action === null || stage.pipelines.some((pipeline) => pipeline.source?.kind === undefined))
    throw malformed('Stage', 'it lacks its action or a source');
  for (const range of stage.ranges) checkRange(range);
  return stage;
}

/** @throws MillraceError OFFSET_UNSAFE. */
export function encodeTask(task: TaskMessage): Uint8Array {
  const { pipeline, input, broadcasts } = task;
  if (input.kind === 'range') {
    checkRange(input.range);
    return taskType.encode({ pipeline, broadcasts, range: input.range }).finish();
  }
  return taskType.encode({ pipeline, broadcasts, rows: input.rows }).finish();
}

/** @throws MillraceError BAD_REQUEST when `bytes` are no Task, OFFSET_UNSAFE. */
export function decodeTask(bytes: Uint8Array): TaskMessage {
  interface Wire {
    readonly pipeline: number;
    readonly broadcasts: readonly string[];
    readonly input?: 'range' | 'rows';
    readonly range?: RangeMessage;
    readonly rows?: Uint8Array;
  }
  const { pipeline, broadcasts, range, rows } = decode(taskType, bytes) as Wire;
  if (range) {
    checkRange(range);
    return { pipeline, broadcasts, input: { kind: 'range', range } };
  }
  if (rows) return { pipeline, broadcasts, input: { kind: 'rows', rows } };
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
