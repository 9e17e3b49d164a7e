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
import { type DescribeState, stateMessage } from './state-message.ts';
import { describeInput, spanOf } from './task-input.ts';

/** A snapshot up to this size travels in the stage; a larger one as a blob. */
const INLINE_BYTES_MAX = 64 * 1024;
/**
 * Output of all map tasks of a shuffle together that may travel in their results: the host holds it, and each task that reads a bucket carries
 * that bucket's share, in a cartesian product many times.
 */
const INLINE_SHUFFLE_BYTES_MAX = 128 * 1024;

export interface StageEncoding {
  readonly batchIntervalMs: number;
  /** Where a map stage writes; see shuffleDirectory. */
  readonly directory: string;
  /** Of stateful operators. */
  readonly application?: string;
  /** What their tasks stand on. */
  readonly describe?: DescribeState | undefined;
  /** What is to be read of one map task. */
  readonly block: (from: StageId, mapPartition: number, bucket: number) => ShuffleBlockMessage | undefined;
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
    pipelines: stage.pipelines.map((pipeline) => pipelineMessage(pipeline, stage.ranges, closure)),
    action: actionMessage(stage, encoding, closure),
    ranges: stage.ranges.map(rangeMessage),
    batchIntervalMs: encoding.batchIntervalMs,
  });
  const broadcasts = [...broadcastIds];
  const inputMessage = inputEncoder(encoding);
  const descriptions = tasks.map(({ partition, pipeline, input, preference }): TaskDescription => {
    const message = inputMessage(input);
    return {
      partition,
      preference,
      span: spanOf(message),
      describes: describeInput(input),
      task: encodeTask({ pipeline, broadcasts, input: message }),
    };
  });
  return { stage: encoded, tasks: descriptions, blobs, broadcasts };
}

type MakeClosure = (fn: ShippedFunction) => ClosureMessage;

/** A cartesian product names the same rows and buckets in many tasks: they are made once. */
function inputEncoder({ blocks, block }: StageEncoding): (input: TaskInput) => TaskInputMessage {
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
      case 'stored': {
        const one = block(input.from, input.mapPartition, input.bucket);
        return { kind: 'shuffle', blocks: one ? [one] : [] };
      }
      case 'merge':
        return { ...input, inputs: input.inputs.map(message) };
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

function inlineShare({ tasks }: Stage): number {
  return Math.floor(INLINE_SHUFFLE_BYTES_MAX / Math.max(1, tasks.length));
}

function actionMessage(stage: Stage, encoding: StageEncoding, closure: MakeClosure): ActionMessage {
  const { directory } = encoding;
  if (stage.kind === 'map') {
    const { stored } = stage;
    const { place } = stored;
    if (stored.kind === 'persisted') {
      const value = serialize({ directory, ...(stored.checkpoint && { copies: true }) });
      return { kind: 'storeWrite', closures: [], numbers: [], value, place };
    }
    if (stored.kind === 'stateful')
      return stateMessage(stored, { ...encoding, inlineBytesMax: inlineShare(stage), closure });
    const { partitioner } = stored;
    const functions = 'function' in partitioner && partitioner.function ? [partitioner.function] : [];
    return {
      kind: 'shuffleWrite',
      closures: functions.map(closure),
      numbers: [],
      value: serialize({
        directory,
        inlineBytesMax: inlineShare(stage),
        partitioner: withoutFunction(partitioner),
      }),
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

function pipelineMessage(
  { source, operators }: Pipeline,
  ranges: Stage['ranges'],
  closure: MakeClosure,
): PipelineMessage {
  return {
    source: sourceMessage(source, ranges, closure),
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

function sourceMessage(source: PipelineSource, ranges: Stage['ranges'], closure: MakeClosure): SourceMessage {
  switch (source.kind) {
    case 'rows':
    case 'shuffle':
    case 'stored':
      return { kind: source.kind };
    case 'kafka': {
      const { client, groupId, isolation, key, value, skips } = source.info;
      const { deadLetters, ...counters } = skips ?? {};
      const codecs = { key: codecMessage(key, closure), value: codecMessage(value, closure) };
      return {
        kind: 'kafka',
        kafka: {
          clientJson: JSON.stringify(client),
          groupId,
          isolation,
          ...codecs,
          ...counters,
          ...(deadLetters && { deadLetters: deadLetters.settings(ranges) }),
        },
      };
    }
    case 'merge': {
      const { how, place } = source;
      const children = source.children.map((child) => pipelineMessage(child, ranges, closure));
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
