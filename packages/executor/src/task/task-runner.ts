import { deserialize } from 'node:v8';
import type { TaskContextData } from '@millrace/api/internal';
import type { Program, ReviveContext } from '@millrace/closures';
import { type Clock, MillraceError } from '@millrace/common';
import type { OffsetRange, RecordColumns } from '@millrace/kafka';
import type { TaskKey } from '@millrace/proto';
import {
  type ClosureMessage,
  decodeStage,
  decodeTask,
  type PipelineMessage,
  type RangeMessage,
  type StageMessage,
  type TaskMessage,
} from '@millrace/proto/task';
import type { PipelineRequest } from '../pipeline/index.ts';
import type { SlotMetrics, SlotOutcome } from '../slots/slot.ts';
import { ConsumerCache, type ConsumerLease } from '../source/consumer-cache.ts';
import { meterInput } from '../source/input-meter.ts';
import type { TaskEngine } from './engine-ports.ts';
import { ProgramShelf } from './program-shelf.ts';
import { SnapshotSource } from './snapshot-source.ts';

export interface TaskRunnerOptions {
  readonly executorId: string;
  readonly engine: TaskEngine;
  /** Content by hash, from the supervisor. */
  readonly fetchBlob: (hash: string) => Promise<Uint8Array>;
  readonly clock: Clock;
}

/** One attempt as it arrives in the slot. */
export interface TaskRequest {
  readonly key: TaskKey;
  readonly programHash: string;
  readonly programDir: string;
  /** Absent: that of the request before. */
  readonly stage?: Uint8Array;
  readonly task: Uint8Array;
}

const PROGRAMS_MAX = 8;
const BROADCAST_BYTES_MAX = 128 * 1024 * 1024;

/** Runs attempts, one after the other, inside a slot: decodes, revives, reads, computes. */
export class TaskRunner {
  readonly consumers: ConsumerCache;
  readonly #options: TaskRunnerOptions;
  readonly #programs: ProgramShelf;
  readonly #snapshots: SnapshotSource;
  #stage: StageMessage | undefined;

  constructor(options: TaskRunnerOptions) {
    const { engine, clock, fetchBlob } = options;
    this.#options = options;
    this.consumers = new ConsumerCache({ connect: engine.connectKafka, clock });
    this.#programs = new ProgramShelf(engine.openProgram, PROGRAMS_MAX);
    this.#snapshots = new SnapshotSource({ fetch: fetchBlob, bytesMax: BROADCAST_BYTES_MAX });
  }

  /** Never rejects: what goes wrong is a failed outcome. */
  async run(request: TaskRequest, signal: AbortSignal): Promise<SlotOutcome> {
    const { clock } = this.#options;
    const startedAt = clock.monotonic();
    const meter: Meter = { bytes: 0, fetchMs: 0, consumerCached: false };
    const metrics = (records: number): SlotMetrics => ({
      ...meter,
      records,
      runMs: clock.monotonic() - startedAt,
    });
    try {
      const { result, records, accumulators } = await this.#run(request, signal, meter);
      return { kind: 'succeeded', result, accumulators, metrics: metrics(records) };
    } catch (error) {
      const record = MillraceError.toRecord(toTaskError(error));
      return { kind: 'failed', error: record, metrics: metrics(0) };
    }
  }

  async #run(
    request: TaskRequest,
    signal: AbortSignal,
    meter: Meter,
  ): Promise<{ readonly result: Uint8Array; readonly records: number; readonly accumulators: Uint8Array }> {
    const { engine } = this.#options;
    if (request.stage) {
      // Should it not decode, the next task must not run with the stage before it.
      this.#stage = undefined;
      this.#stage = decodeStage(request.stage);
    }
    const stage = this.#stage;
    const task = decodeTask(request.task);
    const pipeline = stage?.pipelines[task.pipeline];
    if (!stage || !pipeline)
      throw new MillraceError('INTERNAL', `the stage has no pipeline ${task.pipeline}`);
    const range = task.input.kind === 'range' ? toOffsetRange(task.input.range) : undefined;
    const context = this.#contextOf(request.key, stage, range);
    const program = await this.#programs.get(request.programHash, request.programDir);
    const functions = await this.#revive(program, stage, pipeline, await this.#reviveContext(task, context));
    signal.throwIfAborted();
    const input = this.#open(stage, pipeline, task, range, request.key.attempt, meter);
    let ok = false;
    try {
      const outcome = await engine.runWithTaskContext(context, () =>
        engine.runPipeline({
          stage,
          pipeline,
          input: input.read(signal),
          ...(range ? { range } : {}),
          functions,
          task: context,
          signal,
        }),
      );
      ok = true;
      return { ...outcome, accumulators: engine.encodeAccumulators(context.accumulators) };
    } finally {
      input.lease?.release(ok);
    }
  }

  #contextOf(key: TaskKey, stage: StageMessage, range: OffsetRange | undefined): TaskContextData {
    return {
      application: key.application,
      epoch: key.epoch,
      batchTime: key.batchTime,
      stageId: key.stage,
      partitionId: key.partition,
      attemptNumber: key.attempt,
      executorId: this.#options.executorId,
      ...(range ? { offsetRange: range } : {}),
      offsetRanges: stage.ranges.map(toOffsetRange),
      accumulators: new Map(),
    };
  }

  async #reviveContext(task: TaskMessage, context: TaskContextData): Promise<ReviveContext> {
    const values = new Map<string, unknown>();
    for (const hash of task.broadcasts) values.set(hash, await this.#snapshots.broadcast(hash));
    const { engine } = this.#options;
    return {
      broadcast(id) {
        if (values.has(id)) return { value: values.get(id) };
        throw new MillraceError('BLOCK_MISSING', `broadcast ${id.slice(0, 12)} was not sent with the task`, {
          details: { blockId: id },
        });
      },
      accumulator: (id) => engine.accumulator(id, () => context.accumulators),
    };
  }

  /** Freshly for each attempt: nothing that a lambda changed in its captures is seen by another one. */
  async #revive(
    program: Program,
    stage: StageMessage,
    pipeline: PipelineMessage,
    context: ReviveContext,
  ): Promise<PipelineRequest['functions']> {
    const one = async (closure: ClosureMessage): Promise<Function> =>
      program.revive(closure.snapshot ?? (await this.#snapshots.snapshot(closure.hash)), context);
    const all = (closures: readonly ClosureMessage[]): Promise<readonly Function[]> =>
      Promise.all(closures.map(one));
    const { source } = pipeline;
    const codecs = source.kind === 'kafka' ? source.kafka : undefined;
    return {
      operators: await Promise.all(pipeline.operators.map(({ closures }) => all(closures))),
      action: await all(stage.action.closures),
      ...(codecs?.key.closure ? { keyDecode: await one(codecs.key.closure) } : {}),
      ...(codecs?.value.closure ? { valueDecode: await one(codecs.value.closure) } : {}),
    };
  }

  #open(
    stage: StageMessage,
    pipeline: PipelineMessage,
    task: TaskMessage,
    range: OffsetRange | undefined,
    attempt: number,
    meter: Meter,
  ): TaskInput {
    if (task.input.kind === 'rows') {
      const rows = deserialize(task.input.rows) as readonly unknown[];
      return { lease: undefined, read: () => rows };
    }
    if (pipeline.source.kind !== 'kafka' || !range)
      throw new MillraceError('INTERNAL', 'a task has an offset range, its pipeline no Kafka source');
    const lease = this.consumers.lease(pipeline.source.kafka, range, attempt);
    meter.consumerCached = lease.cached;
    const { clock, engine } = this.#options;
    const reuseColumns = engine.mayReuseColumns(pipeline, stage);
    return {
      lease,
      read: (signal) => meterInput(lease.reader.read(range, { reuseColumns, signal }), meter, clock),
    };
  }
}

interface Meter {
  bytes: number;
  fetchMs: number;
  consumerCached: boolean;
}

interface TaskInput {
  readonly lease: ConsumerLease | undefined;
  readonly read: (signal: AbortSignal) => AsyncIterable<RecordColumns> | readonly unknown[];
}

function toOffsetRange(range: RangeMessage): OffsetRange {
  const { topicId, ...rest } = range;
  return topicId === '' ? rest : { ...rest, topicId };
}

/** What a task threw that is not ours is the job's: a lambda, or a package that it uses. */
function toTaskError(error: unknown): MillraceError {
  return MillraceError.from(error, 'USER_CODE');
}
