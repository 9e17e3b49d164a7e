import { serialize } from 'node:v8';
import type { OperatorCall, PartitionerCall, ShippedCodec, ShippedFunction } from '@millrace/api/internal';
import { assertNever } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import {
  type ActionMessage,
  type ClosureMessage,
  type CodecMessage,
  encodeStage,
  encodeTask,
  type OperatorMessage,
  type PipelineMessage,
  type RangeMessage,
  type ShuffleBlockMessage,
  type SourceMessage,
  type TaskInputMessage,
} from '@millrace/proto/task';
import type { TaskDescription } from '../../task-backend.ts';
import type { Pipeline, PipelineSource, Stage, StageId, StageTask, TaskInput } from './stage.ts';
import { describeInput, spanOf } from './task-input.ts';

/** A snapshot up to this size travels in the stage; a larger one as a blob. */
const INLINE_BYTES_MAX = 64 * 1024;

export interface StageEncoding {
  readonly batchIntervalMs: number;
  /** Where a map stage writes; see shuffleDirectory. */
  readonly directory: string;
  /** What is to be read of a map stage. */
  readonly blocks: (from: StageId, bucket: number) => readonly ShuffleBlockMessage[];
}

export interface EncodedStage {
  readonly stage: Uint8Array;
  readonly tasks: readonly TaskDescription[];
  /** Snapshots that must be stored before the tasks are submitted, by hash. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Broadcasts that the tasks read. */
  readonly broadcasts: readonly string[];
}

/** The stage as it travels: once for all of these tasks. */
export function encodeStageTasks(
  stage: Stage,
  tasks: readonly StageTask[],
  encoding: StageEncoding,
): EncodedStage {
  const blobs = new Map<string, Uint8Array>();
  const broadcastIds = new Set<string>();
  const closure = ({ hash, bytes, place, broadcastIds: ids }: ShippedFunction): ClosureMessage => {
    for (const id of ids) broadcastIds.add(id);
    if (bytes.length <= INLINE_BYTES_MAX) return { hash, snapshot: bytes, place };
    blobs.set(hash, bytes);
    return { hash, place };
  };
  const encoded = encodeStage({
    pipelines: stage.pipelines.map((pipeline) => pipelineMessage(pipeline, closure)),
    action: actionMessage(stage, encoding.directory, closure),
    ranges: stage.ranges.map(rangeMessage),
    batchIntervalMs: encoding.batchIntervalMs,
  });
  const broadcasts = [...broadcastIds];
  const inputMessage = inputEncoder(encoding);
  const descriptions = tasks.map(
    ({ partition, pipeline, input, preference }): TaskDescription => ({
      partition,
      preference,
      span: spanOf(input),
      describes: describeInput(input),
      task: encodeTask({ pipeline, broadcasts, input: inputMessage(input) }),
    }),
  );
  return { stage: encoded, tasks: descriptions, blobs, broadcasts };
}

type MakeClosure = (fn: ShippedFunction) => ClosureMessage;

/** A cartesian product names the same rows and buckets in many tasks: they are made once. */
function inputEncoder({ blocks }: StageEncoding): (input: TaskInput) => TaskInputMessage {
  const rowsOf = remembered((rows: readonly unknown[]) => serialize(rows));
  const bucketsOf = remembered((from: StageId) => remembered((bucket: number) => blocks(from, bucket)));
  const message = (input: TaskInput): TaskInputMessage => {
    switch (input.kind) {
      case 'range':
        return { kind: 'range', range: rangeMessage(input.range) };
      case 'rows':
        return { kind: 'rows', rows: rowsOf(input.rows) };
      case 'shuffle':
        return { kind: 'shuffle', blocks: bucketsOf(input.from)(input.bucket) };
      case 'merge':
        return { kind: 'merge', inputs: input.inputs.map(message) };
      default:
        return assertNever(input, 'task input');
    }
  };
  return message;
}

function remembered<K, V>(make: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>();
  return (key) => {
    if (!known.has(key)) known.set(key, make(key));
    return known.get(key) as V;
  };
}

function actionMessage(stage: Stage, directory: string, closure: MakeClosure): ActionMessage {
  if (stage.kind === 'map') {
    const { partitioner, place } = stage.shuffle;
    const functions = 'function' in partitioner && partitioner.function ? [partitioner.function] : [];
    return {
      kind: 'shuffleWrite',
      closures: functions.map(closure),
      numbers: [],
      value: serialize({ directory, partitioner: withoutFunction(partitioner) }),
      place,
    };
  }
  const { kind, functions, numbers, place, value } = stage.action;
  return {
    kind,
    closures: functions.map(closure),
    numbers,
    place,
    ...(value === undefined ? {} : { value }),
  };
}

/** The function travels as a closure. */
function withoutFunction(partitioner: PartitionerCall): object {
  return Object.fromEntries(Object.entries(partitioner).filter(([name]) => name !== 'function'));
}

function pipelineMessage({ source, operators }: Pipeline, closure: MakeClosure): PipelineMessage {
  return {
    source: sourceMessage(source, closure),
    operators: operators.map((operator) => operatorMessage(operator, closure)),
  };
}

function operatorMessage(
  { kind, functions, numbers, place, value }: OperatorCall,
  closure: MakeClosure,
): OperatorMessage {
  return {
    kind,
    closures: functions.map(closure),
    numbers,
    place,
    ...(value === undefined ? {} : { value }),
  };
}

function sourceMessage(source: PipelineSource, closure: MakeClosure): SourceMessage {
  switch (source.kind) {
    case 'rows':
    case 'shuffle':
      return { kind: source.kind };
    case 'kafka': {
      const { client, groupId, isolation, key, value } = source.info;
      const codecs = { key: codecMessage(key, closure), value: codecMessage(value, closure) };
      return { kind: 'kafka', kafka: { clientJson: JSON.stringify(client), groupId, isolation, ...codecs } };
    }
    case 'merge': {
      const { how, place } = source;
      const children = source.children.map((child) => pipelineMessage(child, closure));
      return { kind: 'merge', merge: { how, place, children } };
    }
    default:
      return assertNever(source, 'source');
  }
}

function codecMessage({ name, decode, nullable }: ShippedCodec, closure: MakeClosure): CodecMessage {
  return { name, nullable, ...(decode ? { closure: closure(decode) } : {}) };
}

function rangeMessage({
  topic,
  partition,
  fromOffset,
  untilOffset,
  topicId,
  leaderEpoch,
}: OffsetRange): RangeMessage {
  return {
    topic,
    partition,
    fromOffset,
    untilOffset,
    topicId: topicId ?? '',
    ...(leaderEpoch === undefined ? {} : { leaderEpoch }),
  };
}
