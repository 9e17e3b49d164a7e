import {
  ACTIONS,
  type ActionKind,
  OPERATORS,
  type OperatorKind,
  type PartitionOperator,
  type PartitionOperatorCall,
  rowsOf,
  taskAccumulator,
} from '@millrace/api/internal';
import { invariant, MillraceError, placed } from '@millrace/common';
import type { RecordColumns } from '@millrace/kafka';
import type { OperatorMessage } from '@millrace/proto';
import type { DeadLetterReading } from '../output/dead-letters.ts';
import { rowsOfBlock } from '../shuffle/row-block.ts';
import { writeState } from '../state/state-write.ts';
import { columnParts } from './column-parts.ts';
import { type CombiningKind, combiner, isCombining } from './combining.ts';
import { type FusedLoop, fusedLoop } from './compiled-loop.ts';
import { columnDecoder, type RowDecoders } from './kafka-row.ts';
import { LoopRuntime } from './loop-runtime.ts';
import { type LoopEnd, type LoopInput, type LoopOperator, loopSource } from './loop-source.ts';
import { type BytesRead, type PipelineRequest, undecodableOf } from './pipeline-request.ts';
import { openShuffle, type WrittenShuffle, writeStored } from './shuffle-write.ts';
import { sorted } from './sorting.ts';
import { taskError } from './task-error.ts';
import type { TaskStorage } from './task-storage.ts';

/** Element operators in one loop. Its text is as deep as it has operators, and V8's parser recurses. */
const FUSED_OPERATORS_MAX = 64;
/** Dead letters that one look at their stream may add. */
const LETTERS_MAX = 4096;

type Chunk = RecordColumns | readonly unknown[];

/** One run of a pipeline: its chunks go through fused loops and partition operators. */
export class PipelineRun {
  /** Records (or rows) read so far. */
  records = 0;
  readonly #request: PipelineRequest;
  readonly #decoders: RowDecoders | undefined;
  readonly #runtime: LoopRuntime;
  readonly #columnsInput: LoopInput;
  readonly #letters: DeadLetterReading | undefined;
  readonly #input: AsyncGenerator<Chunk, void, undefined>;
  readonly #read: BytesRead;

  constructor(request: PipelineRequest) {
    this.#request = request;
    this.#read = request.read ?? { bytes: 0 };
    this.#input = this.#source();
    const { pipeline, stage, task } = request;
    this.#decoders = rowDecoders(request);
    this.#runtime = new LoopRuntime(pipeline.operators, stage.action, stage.action.value, task.partitionId);
    const undecodable = undecodableOf(pipeline);
    this.#columnsInput = undecodable === undefined ? 'columns' : 'decodable-columns';
    this.#letters = deadLetterReading(request);
    if (undecodable !== undefined) {
      const count = taskAccumulator(undecodable, () => task.accumulators);
      const letters = this.#letters;
      this.#runtime.undecodable = (row, error) => {
        if (letters === undefined || letters.write(row, error)) count.add(1);
      };
    }
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
  async stored(): Promise<WrittenShuffle> {
    const { input, pipeline, stage, functions, task, storage, states } = this.#request;
    if (stage.action.kind === 'stateWrite')
      return writeState(
        'blocks' in input && pipeline.operators.length === 0 ? input : { rows: this.rows() },
        {
          action: stage.action,
          functions: functions.action,
          task,
          storage,
          states,
        },
      );
    if (stage.action.kind === 'storeWrite') return writeStored(this.rows(), stage.action, task, storage);
    return this.#shuffled();
  }

  /** Rows go to their buckets from the loop that makes them. */
  async #shuffled(): Promise<WrittenShuffle> {
    const { pipeline, stage, functions, task, storage } = this.#request;
    const { chunks, from, columns } = this.#parts();
    const isCombined = isCombining(pipeline.operators.at(-1)?.kind ?? '');
    const { rows, finish } = openShuffle(stage.action, functions.action, task, storage, isCombined);
    try {
      this.#runtime.buckets = rows;
      const loop = this.#loop(from, pipeline.operators.length, columns, { action: undefined, buckets: true });
      const holdsMuch = this.#inputHeld(storage);
      for await (const chunk of chunks) {
        for (let at = 0; at < lengthOf(chunk); ) {
          at = this.#pour(loop, chunk, at);
          if (rows.isFull) await rows.flush();
        }
        if (holdsMuch()) rows.own();
      }
      return await finish();
    } finally {
      await rows.abort();
    }
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
      chunks =
        this.#request.storage && isCombining(definition.kind)
          ? this.#combined(chunks, from, index, columns, this.#request.storage)
          : this.#partition(definition, index, this.#rows(chunks, from, index, columns));
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
    const { task, signal, storage } = this.#request;
    const call = this.#call(index);
    if (storage && definition.kind === 'sortRows') return sorted(rows, call, storage);
    return definition.run(rows, { ...call, partition: task.partitionId, signal });
  }

  #call(index: number): Omit<PartitionOperatorCall, 'partition' | 'signal' | 'place'> & { place: string } {
    const { pipeline, functions } = this.#request;
    const { numbers, value, place } = pipeline.operators[index] as OperatorMessage;
    return { functions: functions.operators[index] ?? [], numbers, place, ...(value && { value }) };
  }

  /** The operators [from, index), and the rows that they make combined by that at `index`, in one loop: there are never more rows than keys. */
  async *#combined(
    chunks: AsyncIterable<Chunk>,
    from: number,
    index: number,
    columns: boolean,
    storage: TaskStorage,
  ): AsyncGenerator<unknown[], void, undefined> {
    const kind = this.#request.pipeline.operators[index]?.kind as CombiningKind;
    const { rows, inline } = combiner({ ...this.#call(index), kind }, storage);
    try {
      this.#runtime.combiner = { rows, f: inline.f, checked: inline.checked };
      const loop = this.#loop(from, index, columns, { action: undefined, combine: inline });
      // What comes from a shuffle is no part of anything: a group of it keeps its values and nothing else.
      const keepsAll = inline.collects && from === index;
      const holdsMuch = keepsAll ? () => false : this.#inputHeld(storage);
      for await (const chunk of chunks) {
        for (let at = 0; at < lengthOf(chunk); ) {
          at = this.#pour(loop, chunk, at);
          if (rows.isFull) await rows.spill();
        }
        if (holdsMuch()) rows.own();
      }
      yield* rows.results() as AsyncGenerator<unknown[], void, undefined>;
    } finally {
      await rows.close();
    }
  }

  /**
   * Tells, after a chunk, whether so much was read since it last said so that rows may hold too much of it: a record its fetch, a text that which it
   * was cut out of. Nobody sees that in their sizes. Rarely: to copy what is held costs as much as to make it did.
   */
  #inputHeld(storage: TaskStorage | undefined): () => boolean {
    const bytesMax = 2 * (storage?.memoryBytesMax ?? Number.POSITIVE_INFINITY);
    let before = this.#read.bytes;
    return () => {
      if (this.#read.bytes - before < bytesMax) return false;
      before = this.#read.bytes;
      return true;
    };
  }

  /** A function of the job may have left its rows half read, or kept them: nothing reads on behind a task that has ended. */
  async close(): Promise<void> {
    await this.#input.return().catch(() => undefined);
  }

  async *#source(): AsyncGenerator<Chunk, void, undefined> {
    const { input, signal, deadLetters, range } = this.#request;
    if (Symbol.asyncIterator in input) {
      let buffer: Buffer | undefined;
      for await (const chunk of input) {
        signal.throwIfAborted();
        this.records += chunk.n;
        // Several sets of columns may lie in one fetched buffer.
        if (chunk.buf !== buffer) this.#read.bytes += chunk.buf.length;
        buffer = chunk.buf;
        // Tiny records, all of them broken, are hundreds of thousands in a fetch, and many times as large when they are dead letters.
        for (const part of columnParts(chunk, this.#letters ? LETTERS_MAX : chunk.n)) {
          yield part;
          if (deadLetters?.isFull === true) await deadLetters.ready();
        }
      }
      if (range) this.#letters?.readUntil(range.untilOffset);
      return;
    }
    if ('blocks' in input) {
      for await (const block of input.blocks) {
        signal.throwIfAborted();
        this.#read.bytes += block.bytes;
        yield rowsOfBlock(block);
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
      for (let at = 0; at < lengthOf(chunk); ) {
        at = this.#pour(loop, chunk, at);
        const rows = loop.end() as unknown[];
        if (rows.length > 0) yield rows;
      }
    }
  }

  async #finish(chunks: AsyncIterable<Chunk>, from: number, columns: boolean): Promise<unknown> {
    const { stage, functions, pipeline, task } = this.#request;
    const { action } = stage;
    const until = pipeline.operators.length;
    const definition = ACTIONS[action.kind as ActionKind];
    if (definition.form === 'partition') {
      const rows = rowsOf(this.#rows(chunks, from, until, columns));
      await definition.run(rows, { functions: functions.action, value: action.value, task });
      return undefined;
    }
    const end = {
      action: {
        kind: action.kind as ActionKind,
        functions: functions.action.length,
        numbers: action.numbers,
      },
    };
    if (definition.form === 'sink') return this.#pourAll(chunks, () => this.#loop(from, until, columns, end));
    const loop = this.#loop(from, until, columns, end);
    for await (const chunk of chunks) {
      this.#chunk(loop, chunk);
      if (loop.done()) break;
    }
    return loop.end();
  }

  async #pourAll(chunks: AsyncIterable<Chunk>, makeLoop: () => FusedLoop): Promise<unknown> {
    const { stage, functions, task, signal, openSink } = this.#request;
    const { action } = stage;
    if (openSink === undefined) throw new MillraceError('INTERNAL', 'there are no sinks in this process');
    const sink = openSink({ action, functions: functions.action, task, signal });
    this.#runtime.sink = sink;
    try {
      const loop = makeLoop();
      for await (const chunk of chunks) {
        for (let from = 0; from < lengthOf(chunk); ) {
          from = this.#pour(loop, chunk, from);
          if (sink.isFull) await sink.ready();
          signal.throwIfAborted();
        }
      }
      return await sink.finish();
    } catch (error) {
      await sink.abort();
      throw MillraceError.is(error) ? placed(error, action.place) : error;
    }
  }

  #pour(loop: FusedLoop, chunk: Chunk, from: number): number {
    try {
      const at = loop.pour(chunk, this.#decoders, from);
      this.#looked(chunk);
      return at;
    } catch (error) {
      throw this.#failed(error, chunk);
    }
  }

  #chunk(loop: FusedLoop, chunk: Chunk): void {
    try {
      loop.chunk(chunk, this.#decoders);
      this.#looked(chunk);
    } catch (error) {
      throw this.#failed(error, chunk);
    }
  }

  /** The loop stands behind the row that it was at. */
  #looked(chunk: Chunk): void {
    if (this.#letters === undefined || Array.isArray(chunk)) return;
    const { n, offset } = chunk as RecordColumns;
    if (n > 0) this.#letters.readUntil((offset[this.#runtime.at] as number) + 1);
  }

  #failed(error: unknown, chunk: Chunk): MillraceError {
    const columns = Array.isArray(chunk) ? undefined : (chunk as RecordColumns);
    return taskError(error, this.#request.range, { columns, at: this.#runtime.at });
  }

  #loop(from: number, until: number, columns: boolean, end: LoopEnd): FusedLoop {
    const { pipeline, functions, stage, task } = this.#request;
    const part = pipeline.operators.slice(from, until);
    const source = loopSource(part.map(loopOperator), from, columns ? this.#columnsInput : 'rows', end);
    const program = `${task.application}@${task.epoch}`;
    const last = end.action || end.buckets ? stage.action : end.combine && pipeline.operators[until];
    const places = [program, ...part.map(({ place }) => place), last?.place ?? ''].join('|');
    return fusedLoop(source, places, functions.operators.slice(from, until), functions.action, this.#runtime);
  }
}

function lengthOf(chunk: Chunk): number {
  return Array.isArray(chunk) ? chunk.length : (chunk as RecordColumns).n;
}

function loopOperator(operator: OperatorMessage): LoopOperator {
  invariant(Object.hasOwn(OPERATORS, operator.kind), `operator "${operator.kind}" is known`);
  return {
    kind: operator.kind as OperatorKind,
    functions: operator.closures.length,
    numbers: operator.numbers,
  };
}

/** Undefined: records that do not decode are written nowhere. */
function deadLetterReading({ pipeline, range, deadLetters }: PipelineRequest): DeadLetterReading | undefined {
  if (pipeline.source.kind !== 'kafka' || !pipeline.source.kafka.deadLetters?.length) return undefined;
  invariant(deadLetters !== undefined && range !== undefined, 'dead letters of a range can be written');
  return deadLetters.reading(pipeline.source.kafka, range);
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
