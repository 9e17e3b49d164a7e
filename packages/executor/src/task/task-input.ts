import { deserialize } from 'node:v8';
import { MillraceError } from '@millrace/common';
import type { OffsetRange } from '@millrace/kafka';
import type {
  CheckpointSection,
  PipelineMessage,
  RangeMessage,
  ShuffleBlockMessage,
  TaskInputMessage,
} from '@millrace/proto/task';
import type { PipelineInput, PipelineRequest } from '../pipeline/index.ts';
import { mergeRows } from '../pipeline/merge-rows.ts';
import type { TaskStorage } from '../pipeline/task-storage.ts';
import type { RowBlock } from '../shuffle/row-block.ts';
import { fetchFailed } from '../shuffle/shuffle-failure.ts';
import { type BlockSource, inlineBlocks, readBlocks } from '../shuffle/shuffle-reader.ts';
import type { ConsumerLease } from '../source/consumer-cache.ts';
import { survivingRecords } from '../source/surviving-records.ts';
import type { LocalStateSection } from '../state/state-load.ts';
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
  /** Brings what is in the checkpoint store. @throws MillraceError STATE_CORRUPT, DRIVER_UNREACHABLE, SHUFFLE_DISK. */
  readonly fetchSection: (
    section: CheckpointSection & { readonly bytes: number },
  ) => Promise<LocalStateSection>;
  /** Measures what comes from Kafka. */
  readonly meter: (lease: ConsumerLease, read: ReturnType<ConsumerLease['reader']['read']>) => PipelineInput;
  /** Adds to the task's update of an accumulator. */
  readonly count: (accumulatorId: string, amount: number) => void;
  /** The request of a child, but for what it reads. */
  readonly child: (pipeline: PipelineMessage) => Promise<Omit<PipelineRequest, 'input' | 'range'>>;
  readonly signal: AbortSignal;
  /** Absent: what is merged is held in memory. */
  readonly storage: TaskStorage | undefined;
}

/**
 * Opens what a pipeline reads: a range of Kafka, rows at hand, what map tasks left, or the rows of other pipelines.
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
    const { signal, count } = options;
    const { lost = '' } = source.kafka;
    const read =
      lost === ''
        ? lease.reader.read(range, { reuseColumns, signal })
        : survivingRecords(lease.reader, range, {
            reuseColumns,
            signal,
            lost: (offsets) => count(lost, offsets),
          });
    return {
      input: options.meter(lease, read),
      range,
      release: (isHealthy) => lease.release(isHealthy),
    };
  }
  if (source.kind === 'shuffle' && input.kind === 'shuffle')
    return held({ blocks: await shuffledBlocks(input.blocks, options) });
  if (source.kind === 'stored' && input.kind === 'shuffle')
    return held({ chunks: storedRows(await shuffledBlocks(input.blocks, options)) });
  if (source.kind !== 'merge' || input.kind !== 'merge')
    throw new MillraceError('INTERNAL', `a task reads ${input.kind}, its pipeline ${source.kind}`);
  const opened: OpenedInput[] = [];
  const release = (isHealthy: boolean): void => {
    for (const one of opened.splice(0)) one.release(isHealthy);
  };
  try {
    const rows: AsyncIterable<unknown[]>[] = [];
    for (const [index, childInput] of input.inputs.entries()) {
      const child = source.merge.children[input.children?.[index] ?? index];
      if (!child) throw new MillraceError('INTERNAL', `a merge has no child for its input ${index}`);
      const open = async (): Promise<AsyncIterable<unknown[]>> => {
        const one = await openInput(options, child, childInput, false);
        opened.push(one);
        const { range } = one;
        const request = { ...(await options.child(child)), input: one.input, ...(range ? { range } : {}) };
        return options.engine.pipelineRows(request);
      };
      // Of many that are read one after the other, none need be open before its turn.
      rows.push(source.merge.how === 'concat' ? inTurn(open, () => release(true)) : await open());
    }
    const chunks = mergeRows(source.merge, rows, options.signal, options.storage);
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

/** Opened when they are read, and given back at once. */
async function* inTurn(
  open: () => Promise<AsyncIterable<unknown[]>>,
  release: () => void,
): AsyncGenerator<unknown[], void, undefined> {
  yield* await open();
  release();
}

/** Rows of a stored dataset travel as keys. */
async function* storedRows(blocks: AsyncIterable<RowBlock>): AsyncGenerator<unknown[], void, undefined> {
  for await (const { keys } of blocks) yield Array.from(keys);
}

/** @throws MillraceError FETCH_FAILED. */
async function shuffledBlocks(
  blocks: readonly ShuffleBlockMessage[],
  { locate, fetchSection }: Pick<TaskInputOptions, 'locate' | 'fetchSection'>,
): Promise<AsyncIterable<RowBlock>> {
  const inFiles = blocks.filter(({ data, section }) => data === undefined && section === undefined);
  return blocksOf(blocks, inFiles.length === 0 ? [] : await locate(inFiles), fetchSection);
}

/**
 * Blocks are checked by who reads them: what is damaged or gone by then is as lost as what could not be fetched. `sources`: of those that
 * are in files.
 */
async function* blocksOf(
  blocks: readonly ShuffleBlockMessage[],
  sources: readonly BlockSource[],
  fetchSection: TaskInputOptions['fetchSection'],
): AsyncGenerator<RowBlock, void, undefined> {
  const located = sources.values();
  for (const { data, section, bytes, directory, mapPartition, attempt, bucket } of blocks) {
    if (section !== undefined) {
      yield* checkpointBlocks(section, bytes, fetchSection);
      continue;
    }
    if (data !== undefined) {
      yield* inlineBlocks(data, { shuffle: directory, mapPartition, attempt, bucket });
      continue;
    }
    const source = located.next().value as BlockSource;
    try {
      yield* readBlocks([source]);
    } catch (error) {
      if (!MillraceError.is(error, 'BLOCK_CORRUPT') && !MillraceError.is(error, 'BLOCK_MISSING')) throw error;
      throw fetchFailed(source.details ?? {}, error);
    }
  }
}

/** Nothing else holds these rows: what is damaged there is lost. */
async function* checkpointBlocks(
  { file, offset }: CheckpointSection,
  bytes: number,
  fetchSection: TaskInputOptions['fetchSection'],
): AsyncGenerator<RowBlock, void, undefined> {
  let local: LocalStateSection | undefined;
  try {
    local = await fetchSection({ file, offset, bytes });
    yield* readBlocks([{ path: local.path, ranges: [{ offset: local.offset, bytes }] }]);
  } catch (error) {
    throw isCorrupt(error) ? corruptCheckpoint(file, error) : error;
  } finally {
    local?.release();
  }
}

function isCorrupt(error: unknown): error is MillraceError {
  const codes = ['BLOCK_CORRUPT', 'BLOCK_MISSING', 'STATE_CORRUPT'] as const;
  return codes.some((code) => MillraceError.is(error, code));
}

function corruptCheckpoint(file: string, cause: MillraceError): MillraceError {
  return new MillraceError('STATE_CORRUPT', `the checkpoint ${file} is damaged or missing: ${cause.what}`, {
    remedy:
      "Look at the disk that holds the application's log directory, and start the application again: what the checkpoint was made of is computed anew.",
    details: { file },
    cause,
  });
}
