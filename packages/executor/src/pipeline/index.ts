import {
  ACTIONS,
  type AccumulatorUpdates,
  type ActionKind,
  encodeResult,
  OPERATORS,
  type OperatorKind,
  type PartitionOperator,
  rowsOf,
  type TaskContextData,
} from '@millrace/api/internal';
import { invariant } from '@millrace/common';
import type { OffsetRange, RecordColumns } from '@millrace/kafka';
import type { OperatorMessage, PipelineMessage, StageMessage } from '@millrace/proto';
import type { MapOutputName } from '../shuffle/shuffle-store.ts';
import { combined, isCombining } from './combining.ts';
import { type FusedLoop, fusedLoop } from './compiled-loop.ts';
import { detach } from './detach.ts';
import { columnDecoder, type RowDecoders } from './kafka-row.ts';
import { LoopRuntime, mix } from './loop-runtime.ts';
import { type LoopEnd, type LoopOperator, loopSource } from './loop-source.ts';
import { type WrittenShuffle, writeShuffle } from './shuffle-write.ts';
import { taskError } from './task-error.ts';
import type { TaskStorage } from './task-storage.ts';

/** What a pipeline reads: the columns of fetches, rows at hand, or chunks of rows (of a shuffle, of other pipelines). */
export type PipelineInput =
  | AsyncIterable<RecordColumns>
  | readonly unknown[]
  | { readonly chunks: AsyncIterable<unknown[]> };

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
  return pipeline.operators.length === 0 && stage.action.kind === 'count';
}

/**
 * Runs a fused pipeline over its input: source → element operators in one generated loop → partition operators → … → action.
 * @throws MillraceError USER_CODE with topic, partition and offset when a lambda throws; ELEMENT_PROMISE, VALUE_DECODE; what the source throws.
 */
export async function runPipeline(request: PipelineRequest): Promise<PipelineOutcome> {
  const run = new PipelineRun(request);
  try {
    const made =
      request.stage.action.kind === 'shuffleWrite'
        ? await run.shuffle()
        : { result: encodeResult(await run.result()) };
    settleAccumulators(request.task.accumulators);
    return { ...made, records: run.records };
  } catch (error) {
    throw taskError(error, request.range);
  } finally {
    await run.close();
  }
}

/** The rows that a pipeline makes, for one that merges it with others; without any action. @throws as runPipeline. */
export async function* pipelineRows(request: PipelineRequest): AsyncGenerator<unknown[], void, undefined> {
  const run = new PipelineRun(request);
  try {
    yield* run.rows();
  } catch (error) {
    throw taskError(error, request.range);
  } finally {
    await run.close();
  }
}

/** What collection accumulators were given leaves the task as rows do. */
function settleAccumulators(updates: AccumulatorUpdates): void {
  for (const [id, update] of updates) if (typeof update !== 'number') updates.set(id, detach(update));
}

/** Element operators in one loop. Its text is as deep as it has operators, and V8's parser recurses. */
const FUSED_OPERATORS_MAX = 64;

type Chunk = RecordColumns | readonly unknown[];

class PipelineRun {
  /** Records (or rows) read so far. */
  records = 0;
  readonly #request: PipelineRequest;
  readonly #decoders: RowDecoders | undefined;
  readonly #runtime: LoopRuntime;
  readonly #input: AsyncGenerator<Chunk, void, undefined>;

  constructor(request: PipelineRequest) {
    this.#request = request;
    this.#input = this.#source();
    const { pipeline, stage, task } = request;
    this.#decoders = rowDecoders(request);
    this.#runtime = new LoopRuntime(
      pipeline.operators,
      stage.action,
      stage.action.value,
      mix(Math.trunc(task.batchTime / 1000) | 0, mix(task.batchTime % 1000, task.partitionId)),
    );
  }

  async result(): Promise<unknown> {
    const { chunks, from, columns } = this.#parts();
    return this.#finish(chunks, from, columns);
  }

  /** Of all operators. */
  rows(): AsyncIterable<unknown[]> {
    const { chunks, from, columns } = this.#parts();
    return this.#rows(chunks, from, this.#request.pipeline.operators.length, columns);
  }

  /** The result of a map task. */
  async shuffle(): Promise<WrittenShuffle> {
    const { stage, functions, task, storage } = this.#request;
    return writeShuffle(this.rows(), stage.action, functions.action, task, storage);
  }

  /** The pipeline up to its last partition operator, and where the rest begins. */
  #parts(): { readonly chunks: AsyncIterable<Chunk>; readonly from: number; readonly columns: boolean } {
    const { pipeline } = this.#request;
    let chunks: AsyncIterable<Chunk> = this.#input;
    let from = 0;
    let columns = Symbol.asyncIterator in this.#request.input;
    for (const [index, operator] of pipeline.operators.entries()) {
      const definition = OPERATORS[operator.kind as OperatorKind];
      if (definition?.form !== 'partition') {
        if (index - from < FUSED_OPERATORS_MAX) continue;
        chunks = this.#rows(chunks, from, index, columns);
        from = index;
        columns = false;
        continue;
      }
      // The element operators [from, index) before it are one fused loop.
      chunks = this.#partition(definition, index, this.#rows(chunks, from, index, columns));
      from = index + 1;
      columns = false;
    }
    return { chunks, from, columns };
  }

  #partition(
    definition: PartitionOperator,
    index: number,
    rows: AsyncIterable<unknown[]>,
  ): AsyncIterable<unknown[]> {
    const { pipeline, functions, task, signal, storage } = this.#request;
    const { numbers, value, place } = pipeline.operators[index] as OperatorMessage;
    const call = { functions: functions.operators[index] ?? [], numbers, place, ...(value && { value }) };
    if (storage && isCombining(definition.kind))
      return combined(rows, { ...call, kind: definition.kind }, storage);
    return definition.run(rows, { ...call, partition: task.partitionId, signal });
  }

  /** A function of the job may have left its rows half read, or kept them: nothing reads on behind a task that has ended. */
  async close(): Promise<void> {
    await this.#input.return().catch(() => undefined);
  }

  async *#source(): AsyncGenerator<Chunk, void, undefined> {
    const { input, signal } = this.#request;
    if (Symbol.asyncIterator in input) {
      for await (const chunk of input) {
        signal.throwIfAborted();
        this.records += chunk.n;
        yield chunk;
      }
      return;
    }
    if ('chunks' in input) {
      // They were records of an earlier stage.
      for await (const rows of input.chunks) {
        signal.throwIfAborted();
        yield rows;
      }
      return;
    }
    this.records += input.length;
    if (input.length > 0) yield input;
  }

  /** Rows of the operators [from, until), for a partition operator or action. */
  #rows(
    chunks: AsyncIterable<Chunk>,
    from: number,
    until: number,
    columns: boolean,
  ): AsyncIterable<unknown[]> {
    if (from === until && !columns) return chunks as AsyncIterable<unknown[]>;
    return this.#fused(chunks, from, until, columns);
  }

  async *#fused(
    chunks: AsyncIterable<Chunk>,
    from: number,
    until: number,
    columns: boolean,
  ): AsyncIterable<unknown[]> {
    const loop = this.#loop(from, until, columns, { action: undefined });
    for await (const chunk of chunks) {
      const rows = this.#chunk(loop, chunk) ?? [];
      if (rows.length > 0) yield rows;
    }
  }

  async #finish(chunks: AsyncIterable<Chunk>, from: number, columns: boolean): Promise<unknown> {
    const { stage, functions, pipeline } = this.#request;
    const { action } = stage;
    const until = pipeline.operators.length;
    if (ACTIONS[action.kind as ActionKind].form === 'partition') {
      await functions.action[0]?.(rowsOf(this.#rows(chunks, from, until, columns)));
      return undefined;
    }
    const end = {
      action: {
        kind: action.kind as ActionKind,
        functions: functions.action.length,
        numbers: action.numbers,
      },
    };
    const loop = this.#loop(from, until, columns, end);
    for await (const chunk of chunks) {
      this.#chunk(loop, chunk);
      if (loop.done()) break;
    }
    return loop.end();
  }

  #chunk(loop: FusedLoop, chunk: Chunk): unknown[] | undefined {
    try {
      return loop.chunk(chunk, this.#decoders);
    } catch (error) {
      const columns = Array.isArray(chunk) ? undefined : (chunk as RecordColumns);
      throw taskError(error, this.#request.range, { columns, at: this.#runtime.at });
    }
  }

  #loop(from: number, until: number, columns: boolean, end: LoopEnd): FusedLoop {
    const { pipeline, functions, stage, task } = this.#request;
    const part = pipeline.operators.slice(from, until);
    const source = loopSource(part.map(loopOperator), from, columns ? 'columns' : 'rows', end);
    const program = `${task.application}@${task.epoch}`;
    const places = [program, ...part.map(({ place }) => place), end.action ? stage.action.place : ''].join(
      '|',
    );
    return fusedLoop(source, places, functions.operators.slice(from, until), functions.action, this.#runtime);
  }
}

function loopOperator(operator: OperatorMessage): LoopOperator {
  invariant(Object.hasOwn(OPERATORS, operator.kind), `operator "${operator.kind}" is known`);
  return {
    kind: operator.kind as OperatorKind,
    functions: operator.closures.length,
    numbers: operator.numbers,
  };
}

function rowDecoders({ pipeline, functions }: PipelineRequest): RowDecoders | undefined {
  if (pipeline.source.kind !== 'kafka') return undefined;
  const { key, value } = pipeline.source.kafka;
  return {
    key: columnDecoder(key.name, functions.keyDecode),
    keyNullable: key.nullable,
    value: columnDecoder(value.name, functions.valueDecode),
    valueNullable: value.nullable,
  };
}
