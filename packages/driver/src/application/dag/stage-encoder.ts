import { serialize } from 'node:v8';
import type { ShippedCodec, ShippedFunction } from '@millrace/api/internal';
import { type OffsetRange, offsetSpan } from '@millrace/kafka';
import {
  type ClosureMessage,
  type CodecMessage,
  encodeStage,
  encodeTask,
  type PipelineMessage,
  type RangeMessage,
} from '@millrace/proto/task';
import type { TaskDescription } from '../../task-backend.ts';
import type { Pipeline, Stage } from './stage.ts';
import { describeInput } from './stage-builder.ts';

/** A snapshot up to this size travels in the stage; a larger one as a blob. */
const INLINE_BYTES_MAX = 64 * 1024;

export interface EncodedStage {
  readonly stage: Uint8Array;
  readonly tasks: readonly TaskDescription[];
  /** Snapshots that must be stored before the tasks are submitted, by hash. */
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** Broadcasts that the tasks read. */
  readonly broadcasts: readonly string[];
}

/** The stage as it travels: once for all of its tasks. */
export function encodeStageTasks(stage: Stage, batchIntervalMs: number): EncodedStage {
  const blobs = new Map<string, Uint8Array>();
  const broadcastIds = new Set<string>();
  const closure = ({ hash, bytes, place, broadcastIds: ids }: ShippedFunction): ClosureMessage => {
    for (const id of ids) broadcastIds.add(id);
    if (bytes.length <= INLINE_BYTES_MAX) return { hash, snapshot: bytes, place };
    blobs.set(hash, bytes);
    return { hash, place };
  };
  const { action } = stage;
  const encoded = encodeStage({
    pipelines: stage.pipelines.map((pipeline) => pipelineMessage(pipeline, closure)),
    action: {
      kind: action.kind,
      closures: action.functions.map(closure),
      numbers: action.numbers,
      place: action.place,
      ...(action.value === undefined ? {} : { value: action.value }),
    },
    ranges: stage.ranges.map(rangeMessage),
    batchIntervalMs,
  });
  const broadcasts = [...broadcastIds];
  const tasks = stage.tasks.map(
    ({ partition, pipeline, input, preference }): TaskDescription => ({
      partition,
      preference,
      span: input.kind === 'range' ? offsetSpan(input.range) : 0,
      describes: describeInput(input),
      task: encodeTask({
        pipeline,
        broadcasts,
        input:
          input.kind === 'range'
            ? { kind: 'range', range: rangeMessage(input.range) }
            : { kind: 'rows', rows: serialize(input.rows) },
      }),
    }),
  );
  return { stage: encoded, tasks, blobs, broadcasts };
}

type MakeClosure = (fn: ShippedFunction) => ClosureMessage;

function pipelineMessage({ source, operators }: Pipeline, closure: MakeClosure): PipelineMessage {
  return {
    source:
      source.kind === 'rows'
        ? { kind: 'rows' }
        : {
            kind: 'kafka',
            kafka: {
              clientJson: JSON.stringify(source.info.client),
              groupId: source.info.groupId,
              isolation: source.info.isolation,
              key: codecMessage(source.info.key, closure),
              value: codecMessage(source.info.value, closure),
            },
          },
    operators: operators.map(({ kind, functions, numbers, place }) => ({
      kind,
      closures: functions.map(closure),
      numbers,
      place,
    })),
  };
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
