import { deserialize } from 'node:v8';
import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type {
  PipelineMessage,
  RangeMessage,
  ShuffleBlockMessage,
  TaskInputMessage,
} from '@millrace/proto/task';
import type { PipelineInput, PipelineRequest } from '../pipeline/index.ts';
import { mergeRows } from '../pipeline/merge-rows.ts';
import { fetchFailed } from '../shuffle/shuffle-failure.ts';
import { type BlockSource, readRows } from '../shuffle/shuffle-reader.ts';
import type { ConsumerLease } from '../source/consumer-cache.ts';
import type { TaskEngine } from './engine-ports.ts';

/** What a task reads, before anything of it is read. */
export interface OpenedInput {
  readonly input: PipelineInput;
  readonly range: OffsetRange | undefined;
  /** Gives back what it holds. */
  release(isHealthy: boolean): void;
}

export interface TaskInputOptions {
  readonly engine: TaskEngine;
  readonly lease: (pipeline: PipelineMessage, range: OffsetRange) => ConsumerLease;
  /** @throws MillraceError FETCH_FAILED. */
  readonly locate: (blocks: readonly ShuffleBlockMessage[]) => Promise<readonly BlockSource[]>;
  /** Measures what comes from Kafka. */
  readonly meter: (lease: ConsumerLease, read: ReturnType<ConsumerLease['reader']['read']>) => PipelineInput;
  /** The request of a child, but for what it reads. */
  readonly child: (pipeline: PipelineMessage) => Promise<Omit<PipelineRequest, 'input' | 'range'>>;
  readonly signal: AbortSignal;
}

/**
 * Opens what a pipeline reads: a range of Kafka, rows at hand, a bucket of a shuffle, or the rows of other pipelines.
 * @throws MillraceError FETCH_FAILED; INTERNAL when pipeline and input do not fit.
 */
export async function openInput(
  options: TaskInputOptions,
  pipeline: PipelineMessage,
  input: TaskInputMessage,
  reuseColumns: boolean,
): Promise<OpenedInput> {
  const { source } = pipeline;
  if (source.kind === 'rows' && input.kind === 'rows')
    return held(deserialize(input.rows) as readonly unknown[]);
  if (source.kind === 'kafka' && input.kind === 'range') {
    const range = toOffsetRange(input.range);
    const lease = options.lease(pipeline, range);
    const { signal } = options;
    return {
      input: options.meter(lease, lease.reader.read(range, { reuseColumns, signal })),
      range,
      release: (isHealthy) => lease.release(isHealthy),
    };
  }
  if (source.kind === 'shuffle' && input.kind === 'shuffle')
    return held({ chunks: shuffledRows(await options.locate(input.blocks)) });
  if (source.kind !== 'merge' || input.kind !== 'merge')
    throw new MillraceError('INTERNAL', `a task reads ${input.kind}, its pipeline ${source.kind}`);
  const opened: OpenedInput[] = [];
  const release = (isHealthy: boolean): void => {
    for (const one of opened.splice(0)) one.release(isHealthy);
  };
  try {
    const rows: AsyncIterable<unknown[]>[] = [];
    for (const [index, child] of source.merge.children.entries()) {
      const one = await openInput(options, child, input.inputs[index] as TaskInputMessage, false);
      opened.push(one);
      const { range } = one;
      const request = { ...(await options.child(child)), input: one.input, ...(range ? { range } : {}) };
      rows.push(options.engine.pipelineRows(request));
    }
    const chunks = mergeRows(source.merge, rows, options.signal);
    return { input: { chunks }, range: undefined, release };
  } catch (error) {
    release(false);
    throw error;
  }
}

export function toOffsetRange(range: RangeMessage): OffsetRange {
  const { topicId, ...rest } = range;
  return topicId === '' ? rest : { ...rest, topicId };
}

function held(input: PipelineInput): OpenedInput {
  return { input, range: undefined, release: () => undefined };
}

/** Blocks are checked by who reads them: what is damaged or gone by then is as lost as what could not be fetched. */
async function* shuffledRows(sources: readonly BlockSource[]): AsyncGenerator<unknown[], void, undefined> {
  for (const source of sources) {
    try {
      yield* readRows([source]);
    } catch (error) {
      if (!MillraceError.is(error, 'BLOCK_CORRUPT') && !MillraceError.is(error, 'BLOCK_MISSING')) throw error;
      throw fetchFailed(source.details ?? {}, error);
    }
  }
}
