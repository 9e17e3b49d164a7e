import type { TaskContextData } from '@millrace/api/internal';
import type { OffsetRange, RecordColumns } from '@millrace/kafka';
import type { PipelineMessage, StageMessage } from '@millrace/proto';
import type { DeadLetters } from '../output/dead-letters.ts';
import type { OpenSink } from '../output/task-sink.ts';
import type { RowBlock } from '../shuffle/row-block.ts';
import type { MapOutputName } from '../shuffle/shuffle-store.ts';
import type { TaskStates } from '../state/state-write.ts';
import type { TaskStorage } from './task-storage.ts';

/** What a pipeline reads: the columns of fetches, rows at hand, the blocks of a shuffle, or chunks of rows (of other pipelines). */
export type PipelineInput =
  | AsyncIterable<RecordColumns>
  | readonly unknown[]
  | { readonly blocks: AsyncIterable<RowBlock> }
  | { readonly chunks: AsyncIterable<unknown[]> };

/** How much of its input a task has looked at. Of fetches all that they take. */
export interface BytesRead {
  bytes: number;
}

/** One task's work, with its lambdas revived. */
export interface PipelineRequest {
  readonly stage: StageMessage;
  readonly pipeline: PipelineMessage;
  readonly input: PipelineInput;
  readonly range?: OffsetRange;
  readonly functions: {
    /** Lambdas of each operator. */
    readonly operators: ReadonlyArray<readonly Function[]>;
    readonly action: readonly Function[];
    readonly keyDecode?: Function;
    readonly valueDecode?: Function;
  };
  readonly task: TaskContextData;
  readonly signal: AbortSignal;
  /** Absent: nothing is written, and what is combined is held in memory. */
  readonly storage?: TaskStorage;
  /** Grows with what the task reads, whichever of its pipelines does. Absent: there is one only. */
  readonly read?: BytesRead;
  /** Absent: there is no keyed state here. */
  readonly states?: TaskStates;
  /** Absent: there is no action that writes its rows. */
  readonly openSink?: OpenSink;
  /** Absent: records that do not decode are written nowhere. */
  readonly deadLetters?: DeadLetters;
}

export interface PipelineOutcome {
  /** Encoded result of the action. */
  readonly result: Uint8Array;
  /** Records (or rows) that were read. */
  readonly records: number;
  /** The file that a map task left. */
  readonly written?: MapOutputName;
}

/**
 * Whether columns may be reused from fetch to fetch: only when no row can be held on to, that is when no lambda sees one.
 */
export function mayReuseColumns(pipeline: PipelineMessage, stage: StageMessage): boolean {
  const { kind, closures } = stage.action;
  if (pipeline.operators.length > 0) return false;
  // A sink copies what it is given before the loop goes on; a decoder of the job's may keep it.
  if (undecodableOf(pipeline) !== undefined && hasOwnDecoder(pipeline)) return false;
  return kind === 'count' || (kind === 'kafkaWrite' && closures.length === 0 && !hasOwnDecoder(pipeline));
}

/** Id of the accumulator that counts records which do not decode; undefined: they fail the task. */
export function undecodableOf({ source }: PipelineMessage): string | undefined {
  return (source.kind === 'kafka' && source.kafka.undecodable) || undefined;
}

function hasOwnDecoder({ source }: PipelineMessage): boolean {
  return source.kind === 'kafka' && Boolean(source.kafka.key.closure ?? source.kafka.value.closure);
}
